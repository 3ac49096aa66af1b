"""Folders that the package datasets of Hugging Face writes, or reads as image folders."""
