"""What every room may lean on: time, chance, errors, the API as a port, actions, streams, settings.

Nothing here has an opinion about Kubernetes kinds and nothing here does anything by itself.
"""
