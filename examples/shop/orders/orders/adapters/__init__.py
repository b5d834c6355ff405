"""The outside: HTTP in, SQLite and the other services out."""
