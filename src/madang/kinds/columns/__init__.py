"""What `kubectl get` shows of each kind: one file a topic, each exporting columns for the rows of the kind table."""
