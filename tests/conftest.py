"""What all tests share: golden files, rewritten by `pytest --bless`, and the tiny experiment."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from renaissance.grammar.schema.spec import Spec
from tests import quick
from tests.tiny import tiny_experiment, write_easy_vqa

if os.environ.get("TRITON_INTERPRET") == "1":
    from tests.interpreter import bounds_of_loops

    bounds_of_loops()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--bless", action="store_true", help="rewrite golden files with what the code prints now"
    )


def pytest_collection_finish() -> None:
    quick.imported()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with a golden file, or rewrite the file under `--bless`."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--bless"):
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"{path} is missing; look at the text and run pytest --bless: {text}"
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture(scope="session")
def vqa_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the layout of easy-VQA: 16 images to learn from and 8 to test on."""
    return write_easy_vqa(tmp_path_factory.mktemp("vqa"))


@pytest.fixture
def tiny_spec(vqa_root: Path) -> Callable[..., Spec]:
    """A function that makes the tiny experiment; see `tiny_experiment` for its arguments."""
    return partial(tiny_experiment, vqa_root)


@pytest.fixture(scope="session")
def finished(vqa_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the tiny experiment with all jobs finished; not to be written to."""
    from tests.runs import train

    folder = tmp_path_factory.mktemp("trained")
    train(tiny_experiment(vqa_root), folder)
    return folder


@pytest.fixture
def finished_run(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run of the tiny experiment, for tests that change it."""
    return Path(shutil.copytree(finished, tmp_path / "run"))
