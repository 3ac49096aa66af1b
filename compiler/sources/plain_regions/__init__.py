"""A transformer over the features of regions that a detector has found."""
