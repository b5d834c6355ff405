"""Puts the rooms together; starts and stops them. Only wires: what a room decides is in the room."""
