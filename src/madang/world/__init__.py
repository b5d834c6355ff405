"""The simulated outside: virtual time, make-believe machine and disk, faults, invariants.

The house's own code runs in it unchanged, in one thread, under one seed: `python -m madang.world --seeds 100`. A seed
that breaks an invariant is told as the shortest story that still breaks it, and replays by its number alone.
"""
