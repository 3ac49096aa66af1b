"""Position embeddings for another image size or text length than the weights were made for."""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from renaissance.compiler.errors import BackboneError
from renaissance.compiler.model.tower import TowerFacts


def resize_grid(table: Tensor, positions: int, prefix: int) -> Tensor:
    """Resize the embeddings of a square grid of patches.

    Args:
        table: `[..., prefix + old², width]`; leading dimensions of size 1 are kept.
        positions: `prefix` plus the number of patches wanted, which is a square.
        prefix: rows that belong to no patch, such as a class token's, which stay as they are.

    Returns:
        `[..., positions, width]` in the dtype of `table`: bicubic, antialiased, computed in at
        least float32, as timm does.

    Raises:
        BackboneError: if either grid is no square.
    """
    width = table.shape[-1]
    flat = table.reshape(-1, width)
    old, new = (math.isqrt(max(rows - prefix, 0)) for rows in (len(flat), positions))
    if any(size != 1 for size in table.shape[:-2]):
        raise BackboneError(
            f"position embeddings of shape {list(table.shape)} cannot be resized: one row a patch "
            "is wanted"
        )
    if old**2 + prefix != len(flat) or new**2 + prefix != positions:
        raise BackboneError(
            f"position embeddings of {len(flat)} rows cannot be resized to {positions}: "
            "a square grid of patches is wanted"
        )
    grid = flat[prefix:].to(torch.promote_types(flat.dtype, torch.float32))
    image = grid.reshape(1, old, old, width).permute(0, 3, 1, 2)
    resized = F.interpolate(image, size=(new, new), mode="bicubic", antialias=True)
    rows = resized.permute(0, 2, 3, 1).reshape(new**2, width).to(table.dtype)
    joined = torch.cat((flat[:prefix], rows))
    return joined.reshape(*table.shape[:-2], positions, width)


def resize_text(table: Tensor, rows: int, offset: int) -> Tensor:
    """Cut the embeddings of text positions, or stretch them along a line.

    Args:
        table: `[old_rows, width]`.
        rows: wanted, the first `offset` included.
        offset: rows before the first position, which stay as they are (RoBERTa has two).

    Returns:
        `[rows, width]`: the first rows where it gets shorter; else interpolated linearly between
        the first and the last position.
    """
    if rows <= len(table):
        return table[:rows]
    line = table[offset:].to(torch.promote_types(table.dtype, torch.float32)).T[None]
    stretched = F.interpolate(line, size=rows - offset, mode="linear", align_corners=True)
    return torch.cat((table[:offset], stretched[0].T.to(table.dtype)))


def resize_bias(table: Tensor, rows: int) -> Tensor:
    """Resize a table of relative positions in a square window.

    Args:
        table: `[(2n - 1)² + extra, heads]`; `extra` is 3 where there is a class token, else 0.
        rows: wanted, with the same `extra`.

    Returns:
        `[rows, heads]`, bicubic; the rows of the class token stay as they are.

    Raises:
        BackboneError: if either table is of another form.
    """
    for extra in (0, 3):
        old, new = math.isqrt(len(table) - extra), math.isqrt(rows - extra)
        if old**2 + extra == len(table) and new**2 + extra == rows:
            break
    else:
        raise BackboneError(f"relative positions of {len(table)} rows cannot be resized to {rows}")
    window = table[: old**2].to(torch.promote_types(table.dtype, torch.float32))
    image = window.reshape(1, old, old, -1).permute(0, 3, 1, 2)
    resized = F.interpolate(image, size=(new, new), mode="bicubic", align_corners=False)
    flat = resized.permute(0, 2, 3, 1).reshape(new**2, -1).to(table.dtype)
    return torch.cat((flat, table[old**2 :]))


def fit_positions(
    tensors: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    *,
    facts: TowerFacts,
    address: str,
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Resize those tensors of one tower whose shapes differ.

    Args:
        tensors: weights by name.
        wanted: tensors of the tower, by name; weights that it does not have are left alone.
        facts: of the tower.
        address: of the tower, for messages and notes.

    Returns:
        The tensors, and a sentence for each that was resized.

    Raises:
        BackboneError: if a tensor of another shape holds no positions.
    """
    fitted, notes = dict(tensors), []
    for name, tensor in tensors.items():
        own = wanted.get(name)
        if own is None or own.shape == tensor.shape:
            continue
        if not tensor.is_floating_point():
            fitted[name] = own  # an index into tables of positions, which follows from their size
            continue
        if tensor.shape[-1] != own.shape[-1] or "pos" not in name:
            raise BackboneError(
                f"`{address}`: weights of `{name}` have shape {tuple(tensor.shape)} where "
                f"{tuple(own.shape)} is wanted"
            )
        if facts.modality == "text":
            fitted[name] = resize_text(tensor, own.shape[-2], facts.position_offset)
        elif "relative" in name or "rel_pos" in name:
            fitted[name] = resize_bias(tensor, own.shape[-2])
        else:
            prefix = _rows_before_patches(len(_rows(tensor)), own.shape[-2], facts)
            fitted[name] = resize_grid(tensor, own.shape[-2], prefix)
        notes.append(
            f"position embeddings of `{address}` resized from {tensor.shape[-2]} to "
            f"{own.shape[-2]} rows"
        )
    return fitted, tuple(notes)


def _rows_before_patches(old: int, new: int, facts: TowerFacts) -> int:
    """Return how many rows of a table of positions stand before those of the patches.

    Not every token before the patches has a position: there may be rows for all of them, for the
    class token alone, or for none.
    """
    likely: list[int] = [facts.prefix_tokens, *range(facts.prefix_tokens)]
    if facts.grid is not None:
        likely.insert(0, new - facts.grid * facts.grid)
    for rows in likely:
        if not 0 <= rows <= min(facts.prefix_tokens, old - 1, new - 1):
            continue
        if _is_square(old - rows) and _is_square(new - rows):
            return rows
    return facts.prefix_tokens


def _rows(table: Tensor) -> Tensor:
    return table.reshape(-1, table.shape[-1])


def _is_square(number: int) -> bool:
    return math.isqrt(number) ** 2 == number
