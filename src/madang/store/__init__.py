"""Objects, revisions, watch, durability. Knows bytes and keys, not kinds."""
