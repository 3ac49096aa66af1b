"""A few rows of each task of GLUE, in its published files."""

from pathlib import Path

import pytest

from tests.published_glue import write_glue


@pytest.fixture(scope="session")
def glue_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_glue(tmp_path_factory.mktemp("glue"))
