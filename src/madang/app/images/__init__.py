"""Images that a program of this machine stands for, where nothing can be pulled."""
