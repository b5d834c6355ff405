"""What the API fills in by the object alone, to the letter: one file a topic, each function changes a fresh copy."""
