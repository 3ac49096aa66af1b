"""Taking a folder for a run: results of another spec are refused, or removed if asked for."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from renaissance.grammar.canonical import UnprintableError, print_spec
from renaissance.grammar.names import FEW, listing
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.writing import write_whole
from renaissance.runtime.checkpoints import FOLDER as CHECKPOINTS
from renaissance.runtime.checkpoints import Checkpoints
from renaissance.runtime.errors import DamageError, UsageError
from renaissance.runtime.identity import hashes_in, kept_spec, write_identity
from renaissance.runtime.observer import Tell
from renaissance.runtime.removal import has_results, remove_results
from renaissance.runtime.results import RESULT, read_result

TEXT = "spec.vl"
NAMED = 3
"""Differences that a message names."""


def results_to_remove(
    folder: Path, spec: Spec, stale: Iterable[str] | None, tell: Tell
) -> tuple[str, ...]:
    """Return the jobs whose results must go before a spec can have a folder.

    Args:
        folder: of the run.
        spec: the whole experiment.
        stale: jobs that are to start anew; those of this or another spec if None.
        tell: is told where the folder does not say itself that it is of this spec.

    Raises:
        UsageError: if it holds results of another spec that are not among them.
    """
    kept = kept_spec(folder)
    before, problem = kept.spec, kept.problem
    if stale is None:
        stale = (*spec.jobs, *(before.jobs if before is not None else ()))
    if before is not None and before.hash == spec.hash:
        return tuple(dict.fromkeys(stale))
    owners = _owners(folder, tuple(stale))
    hashes = hashes_in(folder, spec)
    others = sorted(name for name, owner in owners.items() if owner not in hashes)
    if others:
        if before is None:
            problem += f", and there is job `{others[0]}`: its spec hash is not that of this job"
        raise UsageError(_of_another(folder, spec, before, problem, partly=bool(stale)))
    if not owners:
        # What is there belongs to no result, nor to this spec.
        return tuple(dict.fromkeys((*stale, *spec.jobs)))
    tell(f"{problem}; the results in `{folder}` are of this spec, so it is written anew")
    return tuple(dict.fromkeys(stale))


def claim(folder: Path, spec: Spec, *, remove: Iterable[str] = (), tell: Tell) -> None:
    """Make a folder the folder of a spec.

    Args:
        folder: of the run.
        spec: the whole experiment.
        remove: jobs whose results go.
        tell: is told of those that went.

    Raises:
        UsageError: if they cannot be removed.
    """
    removed = remove_results(folder, remove)
    if removed:
        tell(f"the results of {listing(removed, most=FEW)} in `{folder}` were removed")
    write_identity(folder, spec)
    text = _spelled(spec)
    if text is not None:
        write_whole(folder / TEXT, text)


def _owners(folder: Path, but: Collection[str]) -> dict[str, str]:
    """Return by job whose results there are the hash of its spec, empty where it is not known."""
    jobs = {path.parent for part in (RESULT, CHECKPOINTS) for path in folder.glob(f"*/{part}")}
    return {job.name: _owner(job) for job in jobs if job.name not in but and has_results(job)}


def _owner(job: Path) -> str:
    state = Checkpoints(job, keep=1).newest_state()
    if state is not None:
        return state.spec_hash
    with suppress(DamageError):
        result = read_result(job)
        return "" if result is None else result.spec_hash
    return ""


def _of_another(
    folder: Path, spec: Spec, before: Spec | None, problem: str, *, partly: bool
) -> str:
    what = f"`{folder}` holds results of another spec"
    if before is not None:
        differences = changes(before.model_dump(mode="json"), spec.model_dump(mode="json"))
        more = f" and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
        why = "; ".join(differences[:NAMED]) + more
    else:
        what = f"`{folder}` holds results that are not known to be of this spec"
        why = problem
    which = " and only some of them would be removed" if partly else ""
    return (
        f"{what}{which}: {why}; take another folder for it, or remove all of them with "
        f"`renaissance train FILE -o {folder} --fresh`"
    )


def changes(before: Any, now: Any, address: str = "") -> list[str]:
    """Return sentences on where two trees of plain values differ, by address."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        keys = dict.fromkeys((*before, *now))
        sentences = []
        for key in keys:
            place = f"{address}.{key}" if address else str(key)
            if key not in now:
                sentences.append(f"`{place}` is gone")
            elif key not in before:
                sentences.append(f"`{place}` is new")
            else:
                sentences += changes(before[key], now[key], place)
        return sentences
    return [] if before == now else [f"`{address}` was {_short(before)}, is {_short(now)}"]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _spelled(spec: Spec) -> str | None:
    try:
        return print_spec(spec)
    except UnprintableError:
        return None
