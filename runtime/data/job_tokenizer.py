"""The tokenizer of a job."""

from renaissance.grammar.chain import chain_of
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.parts import Parts
from renaissance.runtime.data.streams import text_needs
from renaissance.runtime.data.tokenizer import Tokenizer


def job_tokenizer(spec: Spec, job_name: str, parts: Parts | None = None) -> Tokenizer:
    """Return the tokenizer of a job's text stream: its own, or one that is learned.

    Args:
        spec: the whole experiment.
        job_name: whose text stream it is.
        parts: the splits of a job, where they are read anyway.

    Raises:
        DataError: if it cannot be loaded, or the texts to learn from cannot be read.
    """
    needs = text_needs(spec.model_of(job_name))
    if needs.tokenizer is not None:
        return Tokenizer.pretrained(needs.tokenizer, needs.revision)
    for name in reversed(chain_of(spec.jobs, job_name)):
        job = spec.training_job(name)
        mine = parts if parts is not None and parts.job is job else Parts(spec, job)
        tokenizer = Tokenizer.learned(mine["train"].all_texts, needs.vocabulary)
        if not tokenizer.wordless:
            break
    return tokenizer
