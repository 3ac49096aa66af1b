"""From files to the batches of every step: deterministic, vectorised, in worker processes."""
