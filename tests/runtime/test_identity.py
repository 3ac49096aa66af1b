"""A run goes on under a later version of the schema, which takes another hash of the same spec."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from renaissance.compiler.bundle import compile as compile_folder
from renaissance.compiler.errors import CompileError
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.errors import InterruptionError, UsageError
from renaissance.runtime.identity import IDENTITY, hashes_in
from renaissance.runtime.job_folder import read_job_folder
from renaissance.runtime.sealed import SEAL
from tests.runs import StopAt, last_bytes, train

LATER = "augment"
"""A key of trainings that has a default, and that an earlier version is said not to have had."""


def hash_of_then(spec: Spec) -> str:
    """The hash of a version that had no `augment`."""
    content = spec.identity()
    for job in content["jobs"].values():
        job.pop(LATER, None)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def reseal(path: Path, **fields: Any) -> None:
    """Change fields of a file that carries its own digest."""
    content = json.loads(path.read_text()) | fields
    del content[SEAL]
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(plain.encode()).hexdigest()
    path.write_text(json.dumps({**content, SEAL: digest}))


def age(folder: Path, spec: Spec) -> str:
    """Leave a folder as the earlier version would have; return the hash that it took."""
    old = hash_of_then(spec)
    assert old != spec.hash
    content = json.loads((folder / "spec.json").read_text())
    for job in content["jobs"].values():
        job.pop(LATER, None)
    (folder / "spec.json").write_text(json.dumps(content))
    for pattern in ("*/result.json", "*/best.json", "*/checkpoints/*/state.json"):
        for path in folder.glob(pattern):
            reseal(path, spec_hash=old)
    (folder / IDENTITY).unlink(missing_ok=True)
    return old


def test_a_job_that_an_earlier_version_began(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    spec = tiny_spec(base={"steps": 6, "checkpoint_every": 2})
    train(spec, tmp_path / "whole", "base")
    folder = tmp_path / "parts"
    with pytest.raises(InterruptionError):
        train(spec, folder, "base", observer=StopAt(3))
    old = age(folder, spec)
    train(spec, folder, "base")
    assert last_bytes(folder, "base", 6) == last_bytes(tmp_path / "whole", "base", 6)
    assert hashes_in(folder, spec) == {spec.hash, old}
    assert f'"{LATER}"' in (folder / "spec.json").read_text()


def test_results_of_an_earlier_version_count(
    tiny_spec: Callable[..., Spec], finished_run: Path
) -> None:
    spec = tiny_spec()
    model = last_bytes(finished_run, "vqa", 6)
    age(finished_run, spec)
    assert train(spec, finished_run).skipped == ("base", "vqa", "exam")
    # Its spec.json is today's now; the hashes of then are still known.
    assert train(spec, finished_run).skipped == ("base", "vqa", "exam")
    (finished_run / "spec.json").unlink()
    assert train(spec, finished_run).skipped == ("base", "vqa", "exam")
    train(spec, finished_run, "vqa", fresh=True)
    assert last_bytes(finished_run, "vqa", 6) == model
    assert train(spec, finished_run, "exam", again=True).skipped == ()


def test_another_spec_is_refused(tiny_spec: Callable[..., Spec], finished_run: Path) -> None:
    age(finished_run, tiny_spec())
    with pytest.raises(UsageError, match=r"`jobs\.base\.seed` was 0, is 1"):
        train(tiny_spec(base={"seed": 1}), finished_run)
    with pytest.raises(UsageError, match=rf"`jobs\.base\.{LATER}` was none, is randaugment"):
        train(tiny_spec(base={LATER: "randaugment"}), finished_run)


def test_a_result_that_was_copied_from_another_run(
    tiny_spec: Callable[..., Spec], finished_run: Path
) -> None:
    age(finished_run, tiny_spec())
    reseal(finished_run / "base/result.json", spec_hash=hash_of_then(tiny_spec(base={"seed": 1})))
    with pytest.raises(UsageError, match="is the result of another spec"):
        train(tiny_spec(), finished_run)


def test_hashes_of_another_spec_do_not_count(
    tiny_spec: Callable[..., Spec], finished_run: Path
) -> None:
    """As a process leaves them that was killed before it wrote its spec beside them."""
    spec, other = tiny_spec(), tiny_spec(base={"seed": 1})
    reseal(finished_run / IDENTITY, hashes=[other.hash], spec="0" * 64)
    assert hashes_in(finished_run, spec) == {spec.hash}


@pytest.mark.parametrize(
    ("packages", "counts"), [({}, True), ({"fusion": {"gated": "their-package 1.0"}}, False)]
)
def test_hashes_under_other_versions_of_other_packages_do_not_count(
    tiny_spec: Callable[..., Spec], finished_run: Path, packages: dict[str, Any], counts: bool
) -> None:
    spec = tiny_spec()
    reseal(finished_run / IDENTITY, hashes=["1" * 64], packages=packages)
    assert hashes_in(finished_run, spec) == {spec.hash, *(["1" * 64] if counts else [])}


@pytest.mark.parametrize("known", [True, False])
def test_a_spec_that_this_version_cannot_read(
    tiny_spec: Callable[..., Spec], finished_run: Path, known: bool
) -> None:
    age(finished_run, tiny_spec())
    path = finished_run / "spec.json"
    content = json.loads(path.read_text())
    content["jobs"]["base"]["dreams"] = 3
    path.write_text(json.dumps(content))
    for state in finished_run.glob("*/checkpoints/*/state.json"):
        reseal(state, versions={"renaissance-vl": "0.0.7"} if known else {})
    with pytest.raises(UsageError) as caught:
        train(tiny_spec(), finished_run)
    wrote = "version 0.0.7" if known else "another version"
    said = str(caught.value)
    assert f"`{path}` was written by {wrote}, and version" in said and "\n" not in said
    assert "dreams" in said and "--fresh" in said


def test_a_job_folder_that_an_earlier_version_compiled(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    spec = tiny_spec()
    folder = compile_folder(spec, tmp_path / "job")
    lock = json.loads((folder / "lock.json").read_text())
    lock["packages"]["renaissance-vl"] = "0.0.7"
    (folder / "lock.json").write_text(json.dumps(lock | {"spec_hash": age(folder, spec)}))
    assert read_job_folder(folder)[0] == spec
    with pytest.raises(CompileError, match="holds a job of another spec"):
        compile_folder(tiny_spec(base={"seed": 1}), folder)
    content = (folder / "spec.json").read_text()
    (folder / "spec.json").write_text(content.replace('"seed": 0', '"dreams": 0', 1))
    with pytest.raises(UsageError, match=r"written by version 0\.0\.7, and version .*dreams"):
        read_job_folder(folder)
    (folder / "spec.json").write_text(content)
    compile_folder(spec, folder)
    assert json.loads((folder / "lock.json").read_text())["spec_hash"] == spec.hash
