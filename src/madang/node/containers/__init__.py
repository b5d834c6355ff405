"""What a pod asks of its containers, in the words of the OCI specification: pure."""
