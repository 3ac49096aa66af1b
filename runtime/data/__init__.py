"""From files to the batches of every step: deterministic, vectorised, in worker processes."""

from renaissance.runtime.data.assembly import Batch
from renaissance.runtime.data.batch import (
    MaskedText,
    Matching,
    PretrainBatch,
    TaskBatch,
    TextRows,
)
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.job import UNKNOWN_ANSWER, JobData, Sample, job_data
from renaissance.runtime.data.tokenizer import Tokenizer

__all__ = [
    "UNKNOWN_ANSWER",
    "Batch",
    "DataError",
    "JobData",
    "MaskedText",
    "Matching",
    "PretrainBatch",
    "Sample",
    "TaskBatch",
    "TextRows",
    "Tokenizer",
    "job_data",
]
