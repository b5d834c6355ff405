"""Measurements: `python -m bench` lists them, `python -m bench NAME ...` runs some. They never fail a test run."""
