"""The verbs on any kind: admit, default, validate, patch, store. The one client of all rooms."""
