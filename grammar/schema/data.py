"""Image-text pairs to pretrain on, and tasks to fine-tune and evaluate on."""

from typing import Annotated, Literal

from pydantic import Field

from renaissance.grammar.schema.declaration import Block, Share, key


class Readable(Block):
    """What every set of images has."""

    max_unreadable: Share = key(
        Share(0.01),
        doc="share of missing or damaged images up to which they are skipped; beyond it, stop",
        impact="training",
    )


class ImageCaption(Readable):
    """A CSV, JSON Lines or Parquet table with a column of image paths and one of captions."""

    format: Literal["image_caption"] = "image_caption"
    table: str = key(doc="path of the table", impact="training")
    root: str | None = key(
        None, doc="folder that image paths start from; the table's own if absent", impact="training"
    )
    image: str = key("image", doc="column of image paths", impact="training")
    caption: str = key(
        "caption",
        doc="column of captions: a string, or a list of strings in JSON Lines and Parquet",
        impact="training",
    )


class EasyVqaPairs(Readable):
    """Images of the easy-VQA package; a caption is a question followed by its answer."""

    format: Literal["easy_vqa"] = "easy_vqa"
    root: str | None = key(
        None, doc="folder of the data; the installed package if absent", impact="training"
    )
    split: Literal["train", "test"] = key("train", doc="which part", impact="training")
    answers: Literal["all", "named"] = key(
        "all",
        doc="questions that become captions: all, or those whose answer is not yes or no",
        impact="training",
    )


class NlvrPairs(Readable):
    """Cornell NLVR v1 in its published layout; captions are sentences true of their image."""

    format: Literal["nlvr"] = "nlvr"
    root: str = key(doc="folder that holds `train`, `dev` or `test`", impact="training")
    split: str = key("train", doc="which part: the name of a folder", impact="training", name=True)


Pairs = Annotated[ImageCaption | EasyVqaPairs | NlvrPairs, Field(discriminator="format")]


class EasyVqa(Readable):
    """Questions about simple shapes, one of 13 answers. Source: easy-vqa on PyPI."""

    task: Literal["easy_vqa"] = "easy_vqa"
    root: str | None = key(
        None, doc="folder of the data; the installed package if absent", impact="training"
    )
    validation: Share = key(
        Share(0.05),
        doc="share of the training images held out to select the best checkpoint",
        impact="training",
    )


class Nlvr(Readable):
    """Is a sentence true of an image? Source: Suhr et al. 2017, Cornell NLVR."""

    task: Literal["nlvr"] = "nlvr"
    root: str = key(doc="folder that holds `train`, `dev` or `test`", impact="training")
    train: str = key("train", doc="folder to learn from", impact="training", name=True)
    validation: Share | str = key(
        "dev",
        doc="folder that selects the best checkpoint, or a share of the training sentences",
        impact="training",
        name=True,
    )


Task = Annotated[EasyVqa | Nlvr, Field(discriminator="task")]
