"""Reading a run folder; what is missing or damaged becomes a sentence, not an error."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.errors import DamageError
from renaissance.runtime.records import (
    EVENT,
    End,
    JobResult,
    Notice,
    Start,
    Step,
    Thaw,
    Unreadable,
    Validate,
)
from renaissance.runtime.results import RESULT, read_result


@dataclass(slots=True, kw_only=True)
class Log:
    """The lines of a `log.jsonl`, those that a resumed run did again taken once.

    Attributes:
        starts: one for each process that worked on the job.
        steps: training steps in order.
        validations: measurements on held-out data in order.
        thaws: when frozen parts began to learn.
        unreadable: the last account of skipped images.
        notices: what a person should know, each once.
        end: present when the job has done all its steps.
        damaged: lines that are no known record, as a killed process leaves behind.
    """

    starts: list[Start] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    validations: list[Validate] = field(default_factory=list)
    thaws: list[Thaw] = field(default_factory=list)
    unreadable: Unreadable | None = None
    notices: list[str] = field(default_factory=list)
    end: End | None = None
    damaged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """What one job left behind.

    Attributes:
        name: of the job and of its folder.
        log: what happened.
        result: what was measured at the end; absent if the job has not finished.
        problems: sentences on what could not be read.
    """

    name: str
    log: Log
    result: JobResult | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """A run folder as far as it could be read.

    Attributes:
        path: the folder.
        spec: the resolved spec.
        spec_text: its canonical form in the language.
        jobs: in the order of the spec.
        problems: sentences on what could not be read.
    """

    path: Path
    spec: Spec | None
    spec_text: str | None
    jobs: tuple[JobRun, ...]
    problems: tuple[str, ...]


def read_folder(path: Path) -> RunFolder:
    """Read everything that a report shows, except images.

    Raises:
        NotADirectoryError: if there is no such folder.
    """
    if not path.is_dir():
        raise NotADirectoryError(f"there is no run folder `{path}`")
    problems: list[str] = []
    spec = None
    text = _text(path / "spec.json", problems)
    if text is not None:
        try:
            spec = Spec.model_validate_json(text)
        except ValidationError as error:
            problems.append(f"spec.json is not a resolved spec: {_first(error)}.")
    if spec is not None:
        names = tuple(spec.jobs)
    else:
        names = tuple(sorted(log.parent.name for log in path.glob("*/log.jsonl")))
    return RunFolder(
        path=path,
        spec=spec,
        spec_text=_text(path / "spec.vl", problems),
        jobs=tuple(_read_job(path / name, name) for name in names),
        problems=tuple(problems),
    )


def _read_job(path: Path, name: str) -> JobRun:
    problems: list[str] = []
    log = read_log(path / "log.jsonl")
    result = None
    # A job that has not run, or not to its end, has no result: that is no problem of the folder.
    if (path / RESULT).exists():
        text = _text(path / RESULT, problems)
        try:
            result = None if text is None else JobResult.model_validate_json(text)
            read_result(path)
        except ValidationError as error:
            problems.append(f"{name}/{RESULT} is not a result: {_first(error)}.")
        except DamageError:
            result = None
            problems.append(f"{name}/{RESULT} is damaged: its digest is that of another content.")
    if log.damaged:
        noun = "line" if log.damaged == 1 else "lines"
        problems.append(f"{log.damaged} {noun} of {name}/log.jsonl could not be read.")
    return JobRun(name=name, log=log, result=result, problems=tuple(problems))


def read_log(path: Path) -> Log:
    """Return what a `log.jsonl` says, as far as it can be read."""
    log = Log()
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return log
    for line in lines:
        if not line.strip():
            continue
        try:
            event = EVENT.validate_json(line)
        except ValidationError:
            log.damaged += 1
            continue
        match event:
            case Start():
                log.starts.append(event)
                # Resuming goes back to a checkpoint: what came after it is done again.
                log.steps = [entry for entry in log.steps if entry.step <= event.step]
                log.validations = [entry for entry in log.validations if entry.step <= event.step]
                log.thaws = [entry for entry in log.thaws if entry.step <= event.step]
            case Step():
                log.steps.append(event)
            case Validate():
                log.validations.append(event)
            case Thaw():
                log.thaws.append(event)
            case Unreadable():
                log.unreadable = event
            case Notice():
                if event.text not in log.notices:
                    log.notices.append(event.text)
            case End():
                log.end = event
    return log


def _text(path: Path, problems: list[str]) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        problems.append(f"There is no {path.name}.")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path.name} could not be read: {error}.")
    return None


def _first(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in details["loc"])
    message = details["msg"][:1].lower() + details["msg"][1:]
    return f"`{place}`: {message}" if place else message
