"""Optimizers: a folder for each."""
