"""Embedded features of regions that a detector has found, for a one-tower model."""
