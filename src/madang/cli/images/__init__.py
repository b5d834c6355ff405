"""`madang image ...`: the images of a courtyard; one file a group of commands, thin."""
