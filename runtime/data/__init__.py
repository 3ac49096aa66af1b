"""From files to the batches of every step: deterministic, vectorised, in worker processes.

Names are imported when they are first used: who only reads tables needs no torch.
"""

from typing import TYPE_CHECKING

from renaissance.grammar.first_use import on_first_use

if TYPE_CHECKING:
    from renaissance.runtime.data.errors import DataError
    from renaissance.runtime.data.job import JobData, Sample, job_data
    from renaissance.runtime.data.tokenizer import Tokenizer

__all__ = ["DataError", "JobData", "Sample", "Tokenizer", "job_data"]

__getattr__ = on_first_use(
    __name__,
    {
        "DataError": "renaissance.runtime.data.errors",
        "JobData": "renaissance.runtime.data.job",
        "Sample": "renaissance.runtime.data.job",
        "Tokenizer": "renaissance.runtime.data.tokenizer",
        "job_data": "renaissance.runtime.data.job",
    },
)
