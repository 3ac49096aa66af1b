"""Fusions, sources, objectives, augmentations, tasks, formats, optimizers and schedules.

The language knows no kind by name. A kind is a folder that is named for its word; `registry.py`
finds it, and a field of the schema that is annotated with the base class of a family takes any.
"""
