"""Pods that have to go because this machine runs out of memory or disk: what is low, who goes, and how it is told."""
