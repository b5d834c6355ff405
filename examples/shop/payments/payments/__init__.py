"""Payments: the dependency that is sometimes slow and sometimes fails, by a switch, so that one can see what a shop
makes of it."""
