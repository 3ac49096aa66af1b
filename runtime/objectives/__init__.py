"""Objectives: a folder for each thing to learn from pairs of images and texts."""
