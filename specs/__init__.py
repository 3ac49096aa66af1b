"""Specs that ship with the package; `renaissance specs` lists them."""
