"""Tables of positions are resized whether or not they have rows for tokens before the patches."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from renaissance.compiler import build
from renaissance.compiler.backbones.positions import fit_positions
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.model.tower import TowerFacts
from renaissance.grammar import load
from renaissance.runtime import JobError, run_jobs


@pytest.mark.parametrize(
    ("tokens", "rows"), [(0, 0), (1, 0), (1, 1), (2, 2), (5, 1), (5, 0), (5, 5)]
)
@pytest.mark.parametrize("known", [True, False])
def test_rows_before_the_patches_are_found(tokens: int, rows: int, known: bool) -> None:
    table = torch.randn(1, rows + 14**2, 2)
    wanted = {"pos": torch.zeros(1, rows + 6**2, 2)}
    facts = TowerFacts(modality="vision", width=2, prefix_tokens=tokens, grid=6 if known else None)
    fitted, _ = fit_positions({"pos": table}, wanted, facts=facts, address="vision")
    assert fitted["pos"].shape == (1, rows + 36, 2)
    assert torch.equal(fitted["pos"][:, :rows], table[:, :rows])


def test_a_small_grid_is_not_taken_for_another() -> None:
    """5 rows are a class token and 2 × 2 patches, not four tokens and one patch."""
    facts = TowerFacts(modality="vision", width=2, prefix_tokens=4, grid=3)
    fitted, _ = fit_positions(
        {"pos": torch.arange(10.0).reshape(5, 2)},
        {"pos": torch.zeros(10, 2)},
        facts=facts,
        address="vision",
    )
    assert torch.equal(fitted["pos"][0], torch.tensor([0.0, 1.0]))
    assert not torch.equal(fitted["pos"][1:4], torch.arange(2.0, 8.0).reshape(3, 2))


def test_an_index_into_a_table_is_the_new_one() -> None:
    facts = TowerFacts(modality="vision", width=2)
    new = torch.arange(16).reshape(4, 4)
    fitted, notes = fit_positions(
        {"relative_position_index": torch.zeros(9, 9, dtype=torch.int64)},
        {"relative_position_index": new},
        facts=facts,
        address="vision",
    )
    assert fitted["relative_position_index"] is new and notes == ()


def test_what_is_no_grid_is_refused_in_a_sentence() -> None:
    facts = TowerFacts(modality="vision", width=2, prefix_tokens=1, grid=3)
    with pytest.raises(BackboneError, match="a square grid of patches is wanted"):
        fit_positions(
            {"pos": torch.zeros(8, 2)}, {"pos": torch.zeros(10, 2)}, facts=facts, address="vision"
        )


def test_registers_without_positions(
    saved: Callable[..., str], experiment: Callable[..., str], tmp_path: Path
) -> None:
    folder = saved("dinov2_with_registers", image_size=32, patch_size=8, num_register_tokens=4)
    (tmp_path / "two.vl").write_text(
        experiment(vision=f'huggingface("{folder}") {{ image_size = 48 }}')
    )
    vision = build(load(tmp_path / "two.vl"), job="base").towers["vision"]
    assert vision.facts.prefix_tokens == 5
    assert vision(torch.zeros(1, 3, 48, 48)).tokens.shape == (1, 5 + 36, 32)
    assert any("resized from 17 to 37 rows" in note for note in vision.facts.notes)


def test_what_a_fine_tuning_cannot_take_is_said_before_the_pretraining(
    experiment: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "two.vl").write_text(
        experiment(
            vision='random("pit_ti_224") { image_size = 224 }', change="vision.image_size = 256"
        )
    )
    with pytest.raises(JobError, match=r"`truth` could not start from job `base`: .*pos_embed"):
        run_jobs(load(tmp_path / "two.vl"), tmp_path / "run", device="cpu")
    assert not (tmp_path / "run" / "base").exists()
