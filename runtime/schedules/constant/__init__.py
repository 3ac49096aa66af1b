"""Stays at the peak."""
