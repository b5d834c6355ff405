"""The rows of the kind table, one file an API group."""
