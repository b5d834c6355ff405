"""What drives the pure rooms: watches, keyed queues, supervisors, back-off, the hand that carries actions out."""
