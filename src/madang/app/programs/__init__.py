"""A `build:` folder without containers: what its Dockerfile means for a program of this machine, and the environment
that the program needs (a virtual environment, node modules), made once and kept by content."""
