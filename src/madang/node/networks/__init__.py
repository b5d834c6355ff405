"""Where a pod listens: one port, two networks (bridge, loopback; make-believe in the world)."""
