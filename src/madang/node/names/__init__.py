"""The names under which pods find each other: the hosts file, the variables of peers, ports of their own."""
