"""What an image name stands for on this machine."""
