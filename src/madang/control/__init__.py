"""Controllers: one pure file each; decide(key, view, now, chance) -> actions."""
