"""Running a job folder, after a look at what has changed since it was compiled."""

import json
from pathlib import Path
from typing import Any

from renaissance.compiler.bundle import lock
from renaissance.grammar.kinds.origins import Origins
from renaissance.grammar.kinds.registry import KindError, origin, schema
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.asked import check_job_folder
from renaissance.runtime.errors import UsageError
from renaissance.runtime.identity import LOCK, hashes_in, kept_spec
from renaissance.runtime.jobs import Run, run_jobs
from renaissance.runtime.observer import Observer
from renaissance.runtime.processes import launched_rank
from renaissance.runtime.records import Notice


def run(
    folder: str | Path,
    *,
    fresh: bool = False,
    device: str | None = None,
    observer: Observer | None = None,
) -> Run:
    """Run all jobs of a folder that `compile` wrote; results lie beside its spec.

    Args:
        folder: the job folder.
        fresh: remove earlier results.
        device: such as `cpu`; chosen if None.
        observer: is told what happens, other versions than when compiled included.

    Raises:
        UsageError: if it is no job folder, or its spec or pretrained weights are not those that
            were compiled.
        JobError: if a job cannot start or go on.
        InterruptionError: if a signal asked to stop.
    """
    spec, notices = read_job_folder(Path(folder))
    if observer is not None:
        for sentence in notices:
            observer.event(Notice(text=sentence))
    return run_jobs(spec, Path(folder), fresh=fresh, device=device, observer=observer)


def read_job_folder(folder: Path) -> tuple[Spec, tuple[str, ...]]:
    """Return the spec of a job folder, and a sentence on each version that is another one now.

    Raises:
        UsageError: if it is no job folder, or its spec, a package that it needs or pretrained
            weights are not those that were compiled.
    """
    check_job_folder(folder)
    try:
        locked = json.loads((folder / LOCK).read_text("utf-8"))
        spec_hash, packages, backbones = (
            locked[key] for key in ("spec_hash", "packages", "backbones")
        )
        _check_kinds(locked.get("kinds", {}))
        kept = kept_spec(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"`{folder}` is no job folder that this version can read") from None
    spec = kept.spec
    if spec is None:
        raise UsageError(f"{kept.problem}; compile again")
    if spec_hash not in hashes_in(folder, spec):
        raise UsageError(f"the spec in `{folder}` is not the one that was compiled; compile again")
    if launched_rank() > 0:
        return spec, ()  # the first one has the same folder to look at, and weights are large
    now = lock(spec)
    changed = _changed_backbone(backbones, now["backbones"])
    if changed is not None:
        raise UsageError(
            f"the pretrained weights of {changed} are not those that were compiled; compile again"
        )
    return spec, _changed_packages(packages, now["packages"])


def _check_kinds(before: Origins) -> None:
    """Refuse a folder with words of packages that are not installed, or in another version."""
    for family, words in before.items():
        for word, brought in words.items():
            try:
                kind = schema(family, word)
            except KindError as problem:
                raise UsageError(str(problem)) from None
            now = None if kind is None else origin(kind)
            if now != brought:
                there = "is not installed" if now is None else f"is {now} here"
                raise UsageError(
                    f"the {family} `{word}` was compiled with {brought}, which {there}; "
                    "install that version, or compile again"
                )


def _changed_backbone(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    for model, references in before.items():
        for address, reference in references.items():
            installed = now.get(model, {}).get(address, {})
            if installed.get("content") != reference["content"]:
                return f"`{address}` of model `{model}` (`{reference['id']}`)"
    return None


def _changed_packages(before: dict[str, str], now: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        f"compiled with {package} {version}, running with {now.get(package, 'none')}"
        for package, version in before.items()
        if now.get(package) != version
    )
