"""Starts whole models from published ones: a local folder in transformers' format."""
