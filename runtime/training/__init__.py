"""Training one job: `train.py` reads from its start to its result, `loop.py` from step to step."""
