"""Texts, their images and answers as Arrow tables: what every reader of files returns."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renaissance.runtime.data.distinct_images import distinct_images
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.many_texts import TextColumn

if TYPE_CHECKING:
    from datasets import Dataset

SECOND = "second"
"""The column of second texts, for tasks about pairs of texts."""
VISIBLE = r"[^\s\pZ\p{Cc}\p{Cf}]"
"""A character that is neither white nor a mere instruction, such as U+200B."""

NAMESPACES = ("coco", "flickr", "vg")
"""COCO, Flickr and Visual Genome, whose names for photographs tell them however they are stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A block of the spec that images come from.

    Attributes:
        name: what messages call it.
        max_unreadable: share of its images up to which unreadable ones are skipped.
        shown: whether texts and images are shown to a model; where they are not, as where a file of
            predictions is measured, they need not be there.
    """

    name: str
    max_unreadable: float
    shown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Texts about images.

    Attributes:
        rows: one row a text: `text`, `image` (a row of `images`, or a list of them, as many for
            each text), for tasks whose rows have one answer `answer`, and what else a reader knows
            of a row, such as `id`; `labelled` is False for rows of which nobody knows what is
            right: nothing is learned from them. `learnable` is False for rows that are measured
            and not learned from. `weight` is how often a row comes in an epoch, 1 where nothing is
            said; `source` the block that a row comes from, where there are several.
        images: one row a distinct image: `path`, `scene` (images of one scene show the same things
            and are never separated by a split), `content` (what is true of one image is true of
            all that have its number), `source` (index into `sources`), `held` (row of `files`, or
            null) where some lie in no folder, and what data sets call an image, by `NAMESPACES`.
            The path of the image of texts that have none is empty: they are shown one of a single
            colour.
        sources: where the images come from.
        files: image files that lie in no folder, of which the path is but a name; None for none.
            They may be mapped: nothing is read before it is asked for.
        also_true: `text` and `content` of what is known to be true, or may well be, although no row
            pairs them; None if rows say all.
        incomplete: rows of the files that were left out because text or image is missing.
        excluded: rows that were left out because something is measured on their images, by what
            `exclude` calls it; a row that several things are measured on counts for the first.
    """

    rows: "Dataset"
    images: "Dataset"
    sources: tuple[Source, ...]
    files: pa.ChunkedArray | None = None
    also_true: pa.Table | None = None
    incomplete: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.rows)

    @property
    def texts(self) -> pa.ChunkedArray:
        """The texts, in order."""
        return self.rows.data.column("text")

    @property
    def seconds(self) -> pa.ChunkedArray | None:
        """The second texts, which stand behind the texts; None where each stands alone."""
        return self.rows.data.column(SECOND) if SECOND in self.rows.column_names else None

    @property
    def images_of_row(self) -> np.ndarray:
        """`[texts, views]` int32: the images of each text; nothing is copied."""
        column = self.rows.data.column("image")
        if pa.types.is_fixed_size_list(column.type):
            column = pc.list_flatten(column)
        images: np.ndarray = _one_chunk(column).to_numpy().reshape(len(self), -1)
        return images

    @property
    def image_of_row(self) -> np.ndarray:
        """`[texts]` int32: the image of each text, or the first of its images."""
        first: np.ndarray = self.images_of_row[:, 0]
        return first

    def column(self, name: str) -> pa.ChunkedArray:
        """Return what a reader knows of each row."""
        return self.rows.data.column(name)

    def ids(self, rows: np.ndarray) -> list[str | int]:
        """Return what rows `[n]` int64 are called: their `id`, or their number, counted from 0."""
        if "id" not in self.rows.column_names:
            return list(rows.tolist())
        found: list[str | int] = self.column("id").take(pa.array(rows)).to_pylist()
        return found

    @property
    def labelled(self) -> np.ndarray:
        """`[texts]` bool: of which texts it is known what is right; all where nothing is said."""
        if "labelled" not in self.rows.column_names:
            return np.ones(len(self), bool)
        labelled: np.ndarray = self.column("labelled").to_numpy(zero_copy_only=False).astype(bool)
        return labelled

    @property
    def learnable(self) -> np.ndarray:
        """`[texts]` bool: those of them from which something is learned; all if nothing is said."""
        if "learnable" not in self.rows.column_names:
            return self.labelled
        learnable = self.column("learnable").to_numpy(zero_copy_only=False)
        both: np.ndarray = learnable.astype(bool) & self.labelled
        return both

    @property
    def weight_of_row(self) -> np.ndarray | None:
        """`[texts]` float64: how often each text comes in an epoch; None where each comes once."""
        if "weight" not in self.rows.column_names:
            return None
        weights: np.ndarray = self.column("weight").to_numpy().astype(np.float64)
        return weights

    @property
    def source_of_row(self) -> np.ndarray:
        """`[texts]` int64: the block that each text comes from."""
        if "source" not in self.rows.column_names:
            return np.zeros(len(self), np.int64)
        source: np.ndarray = self.column("source").to_numpy().astype(np.int64)
        return source

    @property
    def known_of_rows(self) -> tuple[str, ...]:
        """The columns beside texts and images."""
        apart = ("text", "image", "scene", "source")
        return tuple(name for name in self.rows.column_names if name not in apart)

    @property
    def scene_of_row(self) -> np.ndarray:
        """`[texts, views]` int64: the scene of each image of each text, or of a text without one.

        Texts that share a scene are never separated by a split.
        """
        if "scene" not in self.rows.column_names:
            found: np.ndarray = self.scene_of_image[self.images_of_row]
            return found
        scene: np.ndarray = self.column("scene").to_numpy().astype(np.int64)
        return scene[:, None]

    @property
    def scene_of_image(self) -> np.ndarray:
        """`[images]` int64: the scene of each image."""
        scene: np.ndarray = self.images.data.column("scene").to_numpy().astype(np.int64)
        return scene

    @property
    def content_of_image(self) -> np.ndarray:
        """`[images]` int64: the content of each image."""
        content: np.ndarray = self.images.data.column("content").to_numpy().astype(np.int64)
        return content

    @property
    def contents(self) -> int:
        """How many numbers of contents there are, 0 to `contents - 1`."""
        of = [] if self.also_true is None else [self.also_true["content"].to_numpy()]
        return max(int(numbers.max(initial=-1)) for numbers in (self.content_of_image, *of)) + 1

    @property
    def paths(self) -> list[str]:
        """The paths of all images."""
        paths: list[str] = self.images.data.column("path").to_pylist()
        return paths

    def path(self, image: int) -> str:
        """Return the path of an image."""
        path: str = self.images.data.column("path")[int(image)].as_py()
        return path

    def paths_of(self, row: int) -> tuple[str, ...]:
        """Return the paths of the images of a text."""
        images = self.rows[row]["image"]
        return tuple(map(self.path, images if isinstance(images, list) else [images]))

    def file(self, image: int) -> str | bytes:
        """Return the path of an image, or its file where that lies in no folder."""
        if self.files is None:
            return self.path(image)
        held = self.images.data.column("held")[int(image)].as_py()
        if held is None:
            return self.path(image)
        file: bytes = self.files[held].as_py()
        return file

    @property
    def held(self) -> np.ndarray:
        """`[images]` bool: which images lie in no folder."""
        if self.files is None:
            return np.zeros(len(self.images), bool)
        held: np.ndarray = np.asarray(pc.is_valid(self.images.data.column("held")))
        return held

    def weighted(self, weight: float) -> "Table":
        """Return the same texts, each of which comes so many times as often."""
        known = self.weight_of_row
        weights = np.full(len(self), weight) if known is None else known * weight
        rows = self.rows.data.table
        if known is not None:
            rows = rows.drop_columns("weight")
        return replace(self, rows=data_set(rows.append_column("weight", pa.array(weights))))

    def without(self, images: np.ndarray, measured: str) -> "Table":
        """Return the texts about none of the images `[images]` bool that something is measured on.

        Args:
            images: of the table, all of them.
            measured: what `exclude` calls it.
        """
        kept = ~images[self.images_of_row].any(axis=1)
        if kept.all():
            return self
        rows = data_set(self.rows.data.table.filter(pa.array(kept)))
        excluded = {**self.excluded, measured: len(self) - len(rows)}
        return replace(self, rows=rows, excluded=excluded)

    @property
    def has_answers(self) -> bool:
        """Whether texts are answered, as those of tasks."""
        return "answer" in self.rows.column_names

    def answers(self) -> Sequence[str]:
        """Return the answer of each text; raises DataError for a table without answers."""
        if not self.has_answers:
            raise DataError(f"`{self.sources[0].name}` has no answers to learn from")
        answers: list[str] = self.rows.data.column("answer").to_pylist()
        return answers


def data_set(table: pa.Table) -> "Dataset":
    """Return columns as a data set; nothing is copied."""
    from datasets import Dataset  # takes a while to import

    # Without a name it would make one of all that the table holds, of which it copies every byte.
    return Dataset(table, fingerprint="table")


def make_table(
    source: Source,
    root: str | os.PathLike[str],
    texts: TextColumn,
    paths: TextColumn | Sequence[TextColumn],
    *,
    answers: TextColumn | None = None,
    columns: Mapping[str, TextColumn] | None = None,
    names: Mapping[str, TextColumn] | None = None,
    files: TextColumn | None = None,
    file_of_text: np.ndarray | None = None,
    scenes: TextColumn | None = None,
    contents: np.ndarray | None = None,
    also_true: pa.Table | None = None,
    incomplete: int = 0,
) -> Table:
    """Give every distinct image a number.

    Args:
        source: the block that the rows come from.
        root: folder that relative paths start from.
        texts: `[texts]` strings, none of them null.
        paths: `[texts]` strings, the image of each text; several of them where a text is about
            several images. Null for a text without an image.
        answers: `[texts]` strings, for tasks whose rows have one answer.
        columns: what else is known of each row, by name, of any type.
        names: what data sets call the one image of each text, by namespace, `[texts]` strings;
            null where it is not of that set.
        files: `[files]` binary, files of images of which the path is but a name.
        file_of_text: `[texts]` int64, which of the files is the one image of each text, that at its
            place if absent; where that is null, the image lies at its path.
        scenes: `[texts]` names of scenes; if absent an image is a scene of its own, and so is a
            text without one, together with those that read the same.
        contents: `[texts]` int64, the content of the images of each; their scene if absent.
        also_true: `text` and `content` of what is known beyond the rows.
        incomplete: rows that the reader left out.

    Raises:
        DataError: if there are no rows.
    """
    if len(texts) == 0:
        raise DataError(f"`{source.name}` holds no text with an image; check its files")
    distinct, image = distinct_images(paths, root)
    rows = {"text": texts, "image": _image_column(image)} | dict(columns or {})
    if answers is not None:
        rows["answer"] = answers
    if pc.index(distinct, "").as_py() >= 0:
        # One image is shown with all texts that have none, so that it cannot keep them together.
        rows["scene"], scenes = pa.array(_numbers(texts if scenes is None else scenes)), None
    files = pa.chunked_array(files) if isinstance(files, pa.Array) else files
    images = _image_columns(distinct, image, scenes, contents)
    images |= _known_of(image[0], names or {}, files, file_of_text)
    return Table(
        rows=data_set(pa.table(rows)),
        images=data_set(pa.table(images)),
        sources=(source,),
        files=files,
        also_true=also_true,
        incomplete=incomplete,
    )


def _image_columns(
    paths: pa.ChunkedArray,
    image: np.ndarray,
    scenes: TextColumn | None,
    contents: np.ndarray | None,
) -> dict[str, TextColumn]:
    """Return what is known of distinct images, all of one block; see `make_table`."""
    scene = np.arange(len(paths), dtype=np.int32)
    if scenes is not None:
        scene[image] = _numbers(scenes)
    content = scene
    if contents is not None:
        content = scene.copy()
        content[image] = contents
    return {
        "path": paths,
        "scene": pa.array(scene),
        "content": pa.array(content),
        "source": pa.array(np.zeros(len(paths), np.int32)),
    }


def _known_of(
    image: np.ndarray,
    names: Mapping[str, TextColumn],
    files: pa.ChunkedArray | None,
    file_of_text: np.ndarray | None,
) -> dict[str, pa.Array]:
    """Return names and files of the images of texts, `[texts]`, as far as they are known."""
    if not names and files is None:
        return {}
    first = np.unique(image, return_index=True)[1]
    rows = pa.array(first)
    known = {name: _one_chunk(column).take(rows) for name, column in names.items()}
    if files is not None:
        place = first if file_of_text is None else file_of_text[first]
        absent = np.asarray(pc.is_null(files))[place]
        known["held"] = pa.array(place, pa.int64(), mask=absent)
    return known


def _image_column(image: np.ndarray) -> pa.Array:
    """Return the images of each text, `[views, texts]`: one number, or a list of them."""
    if len(image) == 1:
        return pa.array(image[0])
    return pa.FixedSizeListArray.from_arrays(pa.array(image.T.reshape(-1)), len(image))


def complete_rows(texts: TextColumn, paths: TextColumn) -> np.ndarray:
    """Return the rows `[complete]` int64 where text and path each have something to be seen."""
    keep = [
        pc.fill_null(pc.match_substring_regex(column, VISIBLE), False) for column in (texts, paths)
    ]
    return np.flatnonzero(np.asarray(pc.and_(*keep)))


def _numbers(names: TextColumn) -> np.ndarray:
    """Return a number for each name, `[names]` int32, the same for the same name."""
    indices = _one_chunk(names).dictionary_encode().indices
    numbers: np.ndarray = indices.to_numpy(zero_copy_only=False).astype(np.int32)
    return numbers


def _one_chunk(column: TextColumn) -> pa.Array:
    """Return a column in one piece, which is a copy only where it has several."""
    if isinstance(column, pa.Array):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
