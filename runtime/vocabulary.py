"""The tokenizer of a job: kept since its first start, made again only if it is the same one."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.chain import chain_of
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.checkpoints import Checkpoints
from renaissance.runtime.data import DataError, Tokenizer
from renaissance.runtime.data.tokenizer import SPECIAL, TOKENIZER
from renaissance.runtime.errors import JobError


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What a run folder holds of the tokenizer of a job.

    Attributes:
        job: name of the job.
        path: where its tokenizer is kept.
        tokenizer: the one to use; None where it must be made.
        expected: digest of the one that weights were trained with; empty where none is known.
        problem: what is wrong with the file in the job's own folder; None if nothing is.
        begun: whether the job has checkpoints.
    """

    job: str
    path: Path
    tokenizer: Tokenizer | None
    expected: str
    problem: str | None
    begun: bool

    def settle(self, tokenizer: Tokenizer, *, write: bool) -> tuple[str, ...]:
        """Make sure that a tokenizer is the one, and keep it.

        Args:
            tokenizer: that the job uses.
            write: whether this process writes files.

        Returns:
            Sentences on what had to be mended.

        Raises:
            JobError: if weights were trained with another one.
        """
        if self.expected and tokenizer.digest != self.expected:
            raise JobError(
                f"{self.problem}; made again it has other tokens than job `{self.job}` was trained "
                "with, for the texts or the pretrained tokenizer have changed: put them back as "
                f"they were, or start over with `renaissance train FILE:{self.job} --fresh`"
            )
        if self.problem is None:
            return ()
        missing = not self.path.exists()
        if write:
            tokenizer.save(self.path)
        if missing and not self.begun:
            return ()
        which = "with the same tokens" if self.expected else "with tokens that nothing compares"
        return (f"{self.problem}; it was written anew, {which}",)


def kept_vocabulary(spec: Spec, name: str, folder: Path) -> Vocabulary:
    """Look for the tokenizer of a job in its folder and in those of the jobs before it.

    Of the jobs before it one that saw no words is passed over: it leaves it to the next to learn a
    vocabulary.

    Args:
        spec: the whole experiment.
        name: of a pretraining or fine-tuning.
        folder: of the run.
    """
    chain = chain_of(spec.jobs, name)
    expected = _expected(folder, chain)
    usable, problem = None, None
    for job in chain:
        path = folder / job / TOKENIZER
        tokenizer, wrong = _usable(path, expected)
        if job == name:
            problem = wrong
        if tokenizer is not None and (job == name or not tokenizer.wordless):
            usable = tokenizer
            break
    return Vocabulary(
        job=name,
        path=folder / name / TOKENIZER,
        tokenizer=usable,
        expected=expected,
        problem=problem,
        begun=bool(Checkpoints(folder / name, keep=1).steps()),
    )


def _expected(folder: Path, chain: tuple[str, ...]) -> str:
    for job in chain:
        state = Checkpoints(folder / job, keep=1).newest_state()
        passed_over = job != chain[0] and state is not None and state.vocabulary == _wordless()
        if state is not None and state.vocabulary and not passed_over:
            return state.vocabulary
    return ""


@cache
def _wordless() -> str:
    """Return the digest of what is learned from texts without a character."""
    return Tokenizer.learned((), len(SPECIAL)).digest


def _usable(path: Path, expected: str) -> tuple[Tokenizer | None, str | None]:
    """Return the tokenizer in a file, or what is wrong with it."""
    try:
        tokenizer = Tokenizer.load(path)
    except DataError as problem:
        return None, str(problem)
    if expected and tokenizer.digest != expected:
        return None, f"`{path}` is not the tokenizer that the weights were trained with"
    return tokenizer, None


def check_vocabulary(model: VisionLanguageModel, tokenizer: Tokenizer) -> None:
    """Refuse a tokenizer that has more tokens than the model has word embeddings.

    Raises:
        DataError: naming both numbers.
    """
    for name, tower in model.towers.items():
        if tower.facts.vocabulary is not None:
            tokenizer.check_fits(tower.facts.vocabulary, f"`{name}`")
