"""What can be done with orders: the use cases and the ports that they need."""
