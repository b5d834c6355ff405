"""The DNS server of a courtyard's pods: what the names of its Services mean, and whom to ask about all others."""
