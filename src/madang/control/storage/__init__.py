"""Claims and their volumes: bound to each other, made, freed, protected while they are used (pure)."""
