"""Asking containers how they are: single tries (hands) and the counting that makes verdicts of them."""
