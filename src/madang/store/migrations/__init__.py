"""How a state file of an older format becomes one of today's: one file a step, each from one format to the next."""
