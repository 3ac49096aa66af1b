"""oneDNN keeps few of the products that it made ready."""

import os
import subprocess
import sys

import pytest
import torch

from renaissance.runtime.primitives import CAPACITIES, CAPACITY, bound_primitives

PRODUCTS = f"""
import torch
from renaissance.runtime.primitives import bound_primitives

bound_primitives()
weight = torch.randn(8, 8)
for rows in [*range(1, {2 * CAPACITY + 1})] * 2:
    torch.ops.mkldnn._linear_pointwise(torch.randn(rows, 8), weight, None, "none", [], "")
"""


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
def test_a_shape_that_many_others_followed_is_made_ready_again() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in CAPACITIES}
    done = subprocess.run(
        [sys.executable, "-c", PRODUCTS],
        capture_output=True,
        text=True,
        check=True,
        env=environment | {"ONEDNN_VERBOSE": "profile_create"},
    )
    said = [line for line in done.stdout.splitlines() if "inner_product" in line]
    assert len(said) == sum("create:cache_miss" in line for line in said) == 4 * CAPACITY


def test_what_the_user_said_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = CAPACITIES
    monkeypatch.setenv(one, "1024")
    monkeypatch.delenv(other, raising=False)
    bound_primitives()
    assert os.environ[one] == "1024"
    assert os.environ[other] == str(CAPACITY)
