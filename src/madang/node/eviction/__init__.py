"""Who has to go when this machine runs out of memory or disk, and how it is told."""
