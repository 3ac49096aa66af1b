"""Keys of tasks whose classes a model can be asked for in words, without having learned them."""

from collections.abc import Iterable
from typing import ClassVar

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.remark import Remark

NAME = "{}"
"""Stands for the name of a class in a prompt."""


class Prompted(TaskBlock):
    """A classification of images. Source of the prompts: Radford et al. 2021, CLIP, section 3.1."""

    zero_shot: ClassVar[bool] = True
    zero_shot_keys: ClassVar[tuple[str, ...]] = ("prompts",)

    prompts: tuple[str, ...] = key(
        ("a photo of a {}.",),
        doc="texts that stand for a class where the task is measured without being learned; `{}` "
        "is the name of the class",
        impact="eval",
    )

    def remarks(self) -> Iterable[Remark]:
        """Return what is wrong with the prompts."""
        wrong = [prompt for prompt in self.prompts if prompt.count(NAME) != 1]
        if wrong or not self.prompts:
            yield Remark(
                code="VL405",
                message=f"`prompts`: {_wrong(wrong)}",
                key="prompts",
                help=('write `{}` where the name of a class stands: `"a photo of a {}."`',),
            )

    def asked(self, classes: Iterable[str]) -> list[list[str]]:
        """Return the texts that stand for each class."""
        return [[prompt.replace(NAME, name) for prompt in self.prompts] for name in classes]


def _wrong(prompts: list[str]) -> str:
    return f"`{prompts[0]}` does not hold `{NAME}` once" if prompts else "there is none"
