"""The everyday verbs on a service: scale, restart, break. Commands and the dashboard's buttons both go through here."""
