"""What becomes of one pod, as pure decisions: what is known in, what to do and what to report out."""
