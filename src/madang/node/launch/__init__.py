"""What a container's start is made of: its folders, environment, mounts, identity. Values; nothing is started here."""
