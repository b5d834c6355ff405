"""What runs here: pod workers, probes, runtimes, networks, volumes, logs, samples."""
