"""Orders as ports and adapters: the domain knows nobody, the application knows the domain and its own ports,
adapters know both. A test checks the direction of every import."""
