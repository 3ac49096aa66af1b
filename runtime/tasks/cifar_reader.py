"""CIFAR in its published form, batches for Python, and as folders of images.

Source: www.cs.toronto.edu/~kriz/cifar.html.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.runtime.data.arrays import read_pickle
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.cifar import CifarTask
from renaissance.runtime.tasks.classification import by_row as accuracy
from renaissance.runtime.tasks.classification import declared
from renaissance.runtime.tasks.means import Mean, means
from renaissance.runtime.tasks.table_rows import read_folder

SIDE = 32
"""Height and width in pixels."""
HEADER = f"P6 {SIDE} {SIDE} 255\n".encode()
"""Makes an image file of the pixels behind it."""
NAMED = 5
"""Classes among which the right one may be."""


def read(block: CifarTask, source: Source, file: str) -> Table:
    """Read one split; raises DataError."""
    home = block.home
    if home is None:
        if (Path(block.root) / file).is_dir():
            return read_folder(source, Path(block.root) / file)
        raise DataError(
            f"`{block.root}` holds neither the folder `{block.batches}` of the published archive "
            f"for Python nor `{file}` with a folder of images for each class"
        )
    names = _names(block, home)
    contents, numbers, ids = [], [], []
    for batch in block.files[file]:
        pixels, labels = _batch(home / batch, block.labels, len(names))
        contents.append(pixels)
        numbers += labels
        ids += [f"{batch}/{number}" for number in range(len(labels))]
    return make_table(
        source,
        home,
        pa.array([""] * len(ids), pa.string()),
        pa.array(ids, pa.string()),
        answers=pa.array([names[number] for number in numbers], pa.string()),
        columns={"id": pa.array(ids, pa.string())},
        files=_as_files(np.concatenate(contents)),
    )


def answers(block: CifarTask, train: Part) -> tuple[str, ...]:
    """Return the names of the classes in their order; raises DataError for another number."""
    home = block.home
    return declared(block.outputs, train, train.answers if home is None else _names(block, home))


def measured(block: TaskBlock, answered: Answered) -> dict[str, float]:
    """Return the accuracy and, where a model says more, how often five classes hold the right one.

    A row whose image cannot be read is wrong.
    """
    return means(by_row(block, answered))


def by_row(block: TaskBlock, answered: Answered) -> dict[str, Mean]:
    """Return what these shares are the means of."""
    found = accuracy(block, answered)
    if found and answered.more is not None and answered.targets is not None:
        right = answered.targets.of(answered.rows)[:, None]  # [n, 1]
        within = (answered.more == right).any(axis=1)
        found[f"accuracy@{NAMED}"] = Mean.of_all(answered.of_asked(within))
    return found


def _names(block: CifarTask, home: Path) -> list[str]:
    file, key = block.names
    names = [_text(name) for name in _field(_values(home / file), key, home / file, list)]
    if len(names) != block.outputs:
        raise DataError(
            f"`{home / file}` names {len(names)} classes, {block.word()} has {block.outputs}"
        )
    return names


def _batch(path: Path, key: str, classes: int) -> tuple[np.ndarray, list[int]]:
    """Return pixels `[n, 3, 32, 32]` uint8 and the class of each image."""
    values = _values(path)
    pixels = _field(values, "data", path, np.ndarray)
    labels = [int(label) for label in _field(values, key, path, list)]
    if pixels.dtype != np.uint8 or pixels.shape != (len(labels), 3 * SIDE * SIDE):
        raise DataError(
            f"`data` of `{path}` is an array {list(pixels.shape)} of {pixels.dtype}, where "
            f"{len(labels)} labels want [{len(labels)}, {3 * SIDE * SIDE}] of uint8"
        )
    wrong = next((place for place, n in enumerate(labels) if not 0 <= n < classes), None)
    if wrong is not None:
        raise DataError(f"`{key}` of `{path}` has {labels[wrong]} for image {wrong}, no class")
    return pixels.reshape(-1, 3, SIDE, SIDE), labels


def _values(path: Path) -> dict[str, Any]:
    """Return what a file holds; Python 3 reads the names of Python 2 as texts or as bytes."""
    values = read_pickle(path)
    if not isinstance(values, dict):
        raise DataError(f"`{path}` holds no names with values")
    return {_text(name): value for name, value in values.items()}


def _field(values: dict[str, Any], name: str, path: Path, kind: type) -> Any:
    if not isinstance(values.get(name), kind):
        raise DataError(f"`{path}` has no `{name}`")
    return values[name]


def _text(name: str | bytes) -> str:
    return name.decode("latin1") if isinstance(name, bytes) else str(name)


def _as_files(pixels: np.ndarray) -> pa.Array:
    """Return images `[n, 3, 32, 32]` uint8 as one file each, without copying them one by one."""
    count = len(pixels)
    header = np.broadcast_to(np.frombuffer(HEADER, np.uint8), (count, len(HEADER)))
    files = np.concatenate([header, pixels.transpose(0, 2, 3, 1).reshape(count, -1)], axis=1)
    starts = np.arange(count + 1, dtype=np.int64) * files.shape[1]
    buffers = [None, pa.py_buffer(starts), pa.py_buffer(np.ascontiguousarray(files))]
    return pa.Array.from_buffers(pa.large_binary(), count, buffers)
