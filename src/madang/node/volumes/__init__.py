"""The volumes of a pod: what is in them (pure), and the hands that put it on disk."""
