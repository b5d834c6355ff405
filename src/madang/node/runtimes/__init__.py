"""How a container runs: one port, several runtimes (host; container; make-believe in the world)."""
