"""A whole courtyard in one file: taken while it runs, put back here or elsewhere."""
