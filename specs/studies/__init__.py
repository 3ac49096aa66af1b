"""Experiments as specs: what differs, how often it is run, what it may cost."""
