"""From files to the batches of every step: deterministic, vectorised, in worker processes."""

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.job import JobData, Sample, job_data
from renaissance.runtime.data.tokenizer import Tokenizer

__all__ = [
    "DataError",
    "JobData",
    "Sample",
    "Tokenizer",
    "job_data",
]
