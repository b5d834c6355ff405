"""Registries: images pulled and pushed over the OCI distribution protocol.

`pull.py` and `push.py` are what others call; each has the work done by a process of its own (`worker.py`). There
`client.py` speaks to one registry (`challenge.py`, `credentials.py`: who we are; `patience.py`: how long we try),
`source.py` offers what a registry has as if it were an archive, and `pushing.py` brings there what it lacks.
"""
