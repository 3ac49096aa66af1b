"""Of which images a text is known to be true: equal texts, scenes, facts of easy-VQA."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import job_data
from renaissance.runtime.data.joining import join
from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.data.truths import Truths
from renaissance.runtime.formats.easy_vqa import reader as easy_vqa
from renaissance.runtime.formats.easy_vqa.schema import EasyVqaPairs
from renaissance.runtime.formats.nlvr import reader as nlvr
from renaissance.runtime.formats.nlvr.schema import NlvrPairs
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.tasks.easy_vqa.facts import ANY, COLORS, SHAPES, facts_of, kinds
from renaissance.runtime.tasks.easy_vqa.reader import installed_data
from tests.batches import texts_of

SOURCE = Source(name="pairs", max_unreadable=0.1)


def known(table: Table) -> np.ndarray:
    """`[texts, images]` bool."""
    return Truths.of(table).hold(np.arange(len(table)), np.arange(len(table.images)))


def test_a_text_is_true_of_its_images_and_of_those_of_equal_texts() -> None:
    texts = pa.array(["a dog", "a cat", "A dog ", "a cow", "a dog"])
    paths = pa.array(["0.png", "1.png", "1.png", "2.png", "3.png"])
    expected = [[1, 1, 0, 1], [0, 1, 0, 0], [1, 1, 0, 1], [0, 0, 1, 0], [1, 1, 0, 1]]
    assert known(make_table(SOURCE, "/", texts, paths)).tolist() == expected


def test_what_a_table_says_is_kept_where_tables_are_joined() -> None:
    first = make_table(SOURCE, "/a", pa.array(["a dog", "a cat"]), pa.array(["0.png", "1.png"]))
    second = make_table(
        SOURCE,
        "/b",
        pa.array(["a cow", "a dog", "a cat"]),
        pa.array(["0.png", "1.png", "2.png"]),
        contents=np.array([1, 0, 1]),
        also_true=pa.table({"text": ["a cow"], "content": [0]}),
    )
    # The images of the second table follow those of the first; its first and last show the same.
    expected = [
        [1, 0, 0, 1, 0],
        [0, 1, 1, 0, 1],
        [0, 0, 1, 1, 1],
        [1, 0, 0, 1, 0],
        [0, 1, 1, 0, 1],
    ]
    assert known(join([first, second])).tolist() == expected


def test_drawings_of_one_scene_show_the_same(nlvr_folder: Path) -> None:
    table = nlvr.read(NlvrPairs(root=str(nlvr_folder)), SOURCE)
    assert len(table) == 36
    same = table.scene_of_image[table.image_of_row][:, None] == table.scene_of_image
    assert known(table).tolist() == same.tolist()


def mask(*, shapes: tuple[str, ...] = SHAPES, colors: tuple[str, ...] = COLORS) -> int:
    return sum(
        1 << SHAPES.index(shape) * len(COLORS) + COLORS.index(color)
        for shape in shapes
        for color in colors
    )


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("what color is the shape?", "red", mask(colors=("red",))),
        ("what color is the circle?", "red", mask(shapes=("circle",), colors=("red",))),
        ("what is the blue shape?", "circle", mask(shapes=("circle",), colors=("blue",))),
        ("what shape is present?", "triangle", mask(shapes=("triangle",))),
        ("is there a circle?", "yes", mask(shapes=("circle",))),
        ("is there a circle?", "no", ANY & ~mask(shapes=("circle",))),
        ("is no red shape present?", "yes", ANY & ~mask(colors=("red",))),
        ("does the image not contain a red shape?", "no", mask(colors=("red",))),
        ("is there a large circle?", "yes", ANY),
        ("is there a circle in a circle?", "yes", ANY),
        ("what color is the circle?", "pink", ANY),
    ],
)
def test_questions_are_read_as_they_are_meant(question: str, answer: str, expected: int) -> None:
    assert kinds(question, answer) == expected


def test_every_published_question_is_read_and_agrees_with_the_pixels() -> None:
    root = installed_data() / "train"
    rows = json.loads((root / "questions.json").read_text())
    assert all(kinds(question, answer) != ANY for question, answer, _ in rows)
    questions, answers, images = zip(*rows, strict=True)
    facts = facts_of(list(questions), list(answers), np.array(images))
    assert facts is not None and len(set(facts.content.tolist())) > 24
    possible = dict.fromkeys(images, ANY)
    for question, answer, image in rows:
        possible[image] &= kinds(question, answer)
    certain = [image for image, left in possible.items() if left.bit_count() == 1]
    assert len(certain) > 3500
    seen: dict[int, list[np.ndarray]] = {}
    for image in certain[:150]:
        pixels = np.asarray(Image.open(root / "images" / f"{image}.png").convert("RGB"))
        paper = np.median(pixels.reshape(-1, 3), axis=0)
        unlike = abs(pixels.astype(float) - paper).sum(axis=2)
        paint = pixels[unlike > 0.8 * unlike.max()].mean(axis=0)
        color = (possible[image].bit_length() - 1) % len(COLORS)
        seen.setdefault(color, []).append(paint)
    centres = np.array([np.median(seen[color], axis=0) for color in range(len(COLORS))])
    for color, paints in seen.items():
        nearest = [int(abs(centres - paint).sum(axis=1).argmin()) for paint in paints]
        assert np.mean(np.array(nearest) == color) > 0.9, COLORS[color]


def test_images_of_which_little_is_known_are_no_negatives(tmp_path: Path) -> None:
    root = tmp_path / "train"
    (root / "images").mkdir(parents=True)
    rows = [
        ["what color is the circle?", "red", 0],
        ["what color is the shape?", "blue", 1],
        ["is there a circle?", "no", 2],
        ["is it pretty?", "yes", 3],
    ]
    (root / "questions.json").write_text(json.dumps(rows))
    found = known(easy_vqa.read(EasyVqaPairs(root=str(tmp_path)), SOURCE))
    assert found.tolist() == [
        [True, False, False, True],
        [False, True, True, True],
        [False, True, True, True],
        [False, False, False, True],
    ]


def test_answers_that_are_left_out_still_tell_what_images_show(tmp_path: Path) -> None:
    root = tmp_path / "train"
    (root / "images").mkdir(parents=True)
    rows = [
        ["what color is the shape?", "red", 0],
        ["is there a circle?", "yes", 0],
        ["what shape is present?", "circle", 1],
        ["is there a red shape?", "no", 1],
        ["is there a red shape?", "yes", 2],
    ]
    (root / "questions.json").write_text(json.dumps(rows))
    table = easy_vqa.read(EasyVqaPairs(root=str(tmp_path), answers="named"), SOURCE)
    assert table.texts.to_pylist() == [
        "what color is the shape? red",
        "what shape is present? circle",
    ]
    # The second image shows a circle that is not red, the first one a red circle; the third image
    # has no caption.
    assert known(table).tolist() == [[True, False], [True, True]]
    assert known(join([table, table])).tolist() == [[True, False], [True, True]] * 2


def test_no_pair_of_a_job_that_is_called_false_is_known_to_be_true(
    pretraining: Callable[..., Spec], captions: Path
) -> None:
    colors = ("red", "green", "blue")
    lines = [
        json.dumps({"image": f"images/{n}.png", "caption": f"a {colors[n % 3]} thing"})
        for n in range(40)
    ]
    captions.write_text("\n".join(lines))
    (captions.parent / "images/7.png").write_bytes(b"")
    keys = {"max_unreadable": Share(0.1), "batch": 6, "steps": 12, "epochs": None}
    for draw in ("batch", "data"):
        spec = pretraining(objectives=(Itm(negatives=3, draw=draw),), **keys)
        pairs: list[tuple[bytes, bytes, int]] = []
        for (batch,) in job_data(spec, "base").train(0, 0, 1):
            matching, texts = batch.items["itm"], texts_of(batch)
            for image, text, label in zip(
                matching.image.tolist(),
                matching.text.tolist(),
                matching.target.tolist(),
                strict=True,
            ):
                pixels = batch.images[image].numpy()
                pairs.append((texts[text].numpy().tobytes(), pixels.tobytes(), label))
        # An image has one caption, so that its true pair says what it shows.
        shown = {image: text for text, image, label in pairs if label}
        assert len(set(shown.values())) == 3
        false = [(text, image) for text, image, label in pairs if not label]
        assert len(false) == 12 * 6 * 3
        assert all(shown.get(image, b"") != text for text, image in false)
        assert sum(image in shown for _, image in false) > 100
