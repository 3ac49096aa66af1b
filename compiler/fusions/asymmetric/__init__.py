"""One stream attends to the other, which stays as it is."""
