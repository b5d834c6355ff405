"""Images that pods lack: who brings them (`puller.py`), and as whom (`secrets.py`)."""
