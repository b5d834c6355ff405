"""The way in and between: routes (pure) -> HAProxy (hand)."""
