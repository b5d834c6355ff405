"""What each kind is: names, schema, defaults, checks, printed columns. Pure tables and functions."""
