"""Fusions, sources, objectives, tasks, formats, optimizers and schedules: what each kind states.

The language knows no kind by name. A kind is a folder that is named for its word; `registry.py`
finds it, and a field of the schema that is annotated with the base class of a family takes any.
"""
