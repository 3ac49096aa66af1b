"""What the questions of easy-VQA say about its images: each shows one shape of one colour.

Shapes and colours make 24 kinds of images. An answered question is true of some of them, which is a
mask of 24 bits here. All that is said about one image leaves the kinds that it can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SHAPES = ("circle", "rectangle", "triangle")
COLORS = ("black", "blue", "brown", "gray", "green", "red", "teal", "yellow")
NEGATIONS = frozenset(("no", "not"))
WORDS = NEGATIONS.union(
    ("what", "color", "is", "the", "of", "shape", "does"),
    ("image", "contain", "in", "present", "there", "a"),
)
ANY = (1 << len(SHAPES) * len(COLORS)) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known about the images and questions of a table.

    Attributes:
        content: `[rows]` int64, what is known about the image of each row, as a number.
        caption: `[pairs]` int64, a row whose question and answer are true of `of`, or may be.
        of: `[pairs]` int64, numbers as in `content`.
    """

    content: np.ndarray
    caption: np.ndarray
    of: np.ndarray


def facts_of(questions: Sequence[str], answers: Sequence[str], images: np.ndarray) -> Facts | None:
    """Find out what images show.

    Args:
        questions: one a row.
        answers: one a row.
        images: `[rows]` int64, the image of each.

    Returns:
        None if no question is one of the published ones.
    """
    captions: dict[tuple[str, str], int] = {}
    pairs = zip(questions, answers, strict=True)
    caption = np.array([captions.setdefault(pair, len(captions)) for pair in pairs])
    masks = np.array([kinds(*pair) for pair in captions])
    if (masks == ANY).all():
        return None
    image, possible = _possible(images, masks[caption])[1:]
    states, state = np.unique(possible, return_inverse=True)
    first = np.unique(caption, return_index=True)[1]
    number, of = np.nonzero(masks[:, None] & states)
    # What could not be read is true of what its rows say and of nothing else.
    read = masks[number] != ANY
    return Facts(content=state[image], caption=first[number[read]], of=of[read])


def shown_kinds(
    questions: Sequence[str], answers: Sequence[str], images: np.ndarray
) -> dict[int, str]:
    """Return what images show, as `red circle`, by number, where their questions tell both.

    Args:
        questions: one a row.
        answers: one a row.
        images: `[rows]` int64, the image of each.
    """
    masks = np.array([kinds(*pair) for pair in zip(questions, answers, strict=True)])
    distinct, _, possible = _possible(images, masks)
    names = {
        1 << shape * len(COLORS) + color: f"{COLORS[color]} {SHAPES[shape]}"
        for shape in range(len(SHAPES))
        for color in range(len(COLORS))
    }
    pairs = zip(distinct.tolist(), possible.tolist(), strict=True)
    return {image: names[mask] for image, mask in pairs if mask in names}


def _possible(images: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the kinds that each image can be, by all that is said of it.

    Args:
        images: `[rows]` int64, the image of each row.
        masks: `[rows]` int64, the kinds that each row is true of.

    Returns:
        `[images]` the distinct ones, `[rows]` which of them each is of, `[images]` its kinds.
    """
    distinct, image = np.unique(images, return_inverse=True)
    possible = np.full(len(distinct), ANY)
    np.bitwise_and.at(possible, image, masks)
    # Where answers contradict each other, nothing is known.
    possible[possible == 0] = ANY
    return distinct, image, possible


def kinds(question: str, answer: str) -> int:
    """Return the kinds of images that an answered question is true of, all if it is another one."""
    words = question.lower().rstrip("?").split()
    named = [word for word in words if word in SHAPES or word in COLORS]
    if set(words) - set(named) - WORDS or len(named) > 1:
        return ANY
    if answer in ("yes", "no"):
        if len(named) != 1:
            return ANY
        mask = _showing(named[0])
        denied = bool(NEGATIONS.intersection(words))
        return mask if (answer == "yes") != denied else ANY & ~mask
    if answer not in SHAPES and answer not in COLORS:
        return ANY
    # `what color is the circle?` says that there is a circle.
    mask = _showing(answer)
    for word in named:
        mask &= _showing(word)
    return mask


def _showing(word: str) -> int:
    return sum(
        1 << shape * len(COLORS) + color
        for shape, name in enumerate(SHAPES)
        for color, other in enumerate(COLORS)
        if word in (name, other)
    )
