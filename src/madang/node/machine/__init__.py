"""This machine as the cluster sees it: what it is and has, its Node object, its Lease."""
