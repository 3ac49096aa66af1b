"""Which spec a run folder is of, whatever version of the schema wrote it.

Versions of the schema take different hashes of one spec, for later ones have more keys. So the spec
that the folder keeps is read with today's defaults and compared under today's hash; results that
carry a hash of an earlier version count as results of the same spec. `identity.json` keeps the
hashes; where an earlier version did not write it, the spec as it is stated gives the hash of then.
"""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from renaissance import __version__
from renaissance.grammar.kinds.origins import origins
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.writing import write_whole
from renaissance.runtime.checkpoints import Checkpoints
from renaissance.runtime.errors import CheckpointError
from renaissance.runtime.sealed import seal, unseal

SPEC = "spec.json"
IDENTITY = "identity.json"
LOCK = "lock.json"
"""What `compile` wrote, in a folder that it made."""
STUDY = "study.json"
"""What `study` wrote, in a folder that it made."""
PACKAGE = "renaissance-vl"


class Identity(BaseModel):
    """What `identity.json` holds.

    Attributes:
        format: of the file.
        version: of this package, which wrote `spec.json`.
        spec: SHA-256 of the text of that file.
        hashes: that name the spec, today's first.
        packages: that brought kinds of the spec, with their versions, by family and word; under
            other versions of these it is another spec.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = 2
    version: str
    spec: str
    hashes: tuple[str, ...]
    packages: dict[str, dict[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSpec:
    """What a run folder says of its spec.

    Attributes:
        spec: as this version reads it; None if there is none that it can read.
        problem: what is wrong where that is not the spec of the results.
    """

    spec: Spec | None
    problem: str


def kept_spec(folder: Path) -> KeptSpec:
    """Read the spec in a run folder.

    Raises:
        OSError: if it is there and cannot be read.
    """
    path = folder / SPEC
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return KeptSpec(spec=None, problem=f"there is no `{path}`")
    try:
        stated = from_json(text)
        spec = Spec.model_validate_json(text)
    except ValidationError as error:
        return KeptSpec(spec=None, problem=_unreadable(folder, stated, error))
    except ValueError:  # also of bytes that are no UTF-8
        return KeptSpec(spec=None, problem=f"`{path}` is damaged, or no spec")
    return KeptSpec(spec=spec, problem=f"`{path}` is another spec than that of the results")


def hashes_in(folder: Path, spec: Spec) -> frozenset[str]:
    """Return the hashes that name a spec in a run folder: today's, and those of earlier versions.

    Args:
        folder: of the run.
        spec: the whole experiment.
    """
    hashes = {spec.hash}
    kept, recorded = kept_spec(folder).spec, _recorded(folder)
    same = kept is not None and kept.hash == spec.hash
    if kept is not None and same:
        hashes.add(kept.stated_hash)
    if recorded is not None:
        of_this_file = (
            same and recorded.spec == _digest(folder / SPEC) and recorded.packages == origins(spec)
        )
        if of_this_file or spec.hash in recorded.hashes:
            hashes.update(recorded.hashes)
    return frozenset(hashes)


def recorded_hashes(folder: Path) -> tuple[str, ...]:
    """Return all hashes under which results lie in a folder, as far as it says so."""
    recorded = _recorded(folder)
    return () if recorded is None else recorded.hashes


def write_identity(folder: Path, spec: Spec, also: Iterable[str] = ()) -> None:
    """Write the spec of a run folder, and by which hashes it goes there.

    Args:
        folder: of the run.
        spec: the whole experiment.
        also: hashes of specs whose jobs are linked into the folder.
    """
    earlier = sorted({*hashes_in(folder, spec), *also} - {spec.hash})
    text = spec.to_json()
    identity = Identity(
        version=__version__,
        spec=hashlib.sha256(text.encode()).hexdigest(),
        hashes=(spec.hash, *earlier),
        packages=origins(spec),
    )
    # A process killed in between leaves hashes that the other file does not make doubtful.
    write_whole(folder / IDENTITY, seal(identity))
    write_whole(folder / SPEC, text)


def _recorded(folder: Path) -> Identity | None:
    try:
        return unseal(folder / IDENTITY, Identity, "record of a spec's hashes")
    except (FileNotFoundError, CheckpointError):
        return None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _unreadable(folder: Path, stated: object, error: ValidationError) -> str:
    """Say that another version wrote a spec, where it is one, and what this version makes of it."""
    path = folder / SPEC
    if not isinstance(stated, dict) or not {"models", "jobs"} <= stated.keys():
        return f"`{path}` is damaged, or no spec"
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return (
        f"`{path}` was written by {_writer(folder)}, and version {__version__} cannot read it "
        f"(`{where}`: {first['msg'][:1].lower()}{first['msg'][1:]})"
    )


def _writer(folder: Path) -> str:
    """Return the version that wrote the spec of a run folder, in words."""
    recorded = _recorded(folder)
    if recorded is not None:
        return f"version {recorded.version}"
    with suppress(OSError, ValueError, LookupError, TypeError):
        return f"version {from_json((folder / LOCK).read_bytes())['packages'][PACKAGE]}"
    for path in sorted(folder.glob("*/checkpoints")):
        state = Checkpoints(path.parent, keep=1).newest_state()
        if state is not None and PACKAGE in state.versions:
            return f"version {state.versions[PACKAGE]}"
    return "another version"
