"""A state folder of each format that was ever released, made by the code of its time, and how the next one is kept."""
