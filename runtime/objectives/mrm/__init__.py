"""Masked regions."""
