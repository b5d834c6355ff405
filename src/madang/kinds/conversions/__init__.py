"""The same object in another of its served versions: one file a kind, pure functions in both directions."""
