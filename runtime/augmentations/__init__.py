"""Augmentations: a folder for each random change of training images."""
