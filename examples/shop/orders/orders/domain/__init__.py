"""What an order is and what may become of it. Imports nothing of this service."""
