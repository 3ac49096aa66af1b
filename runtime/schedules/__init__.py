"""Schedules: a folder for each way that a learning rate falls."""
