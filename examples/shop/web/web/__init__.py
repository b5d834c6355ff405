"""The page that a person sees: asks catalog, cart, orders and payments, and keeps nothing itself."""
