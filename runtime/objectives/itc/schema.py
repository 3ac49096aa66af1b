"""Keys of `itc`."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.head import Form
from renaissance.grammar.kinds.moving import Moving
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.remark import Remark

WIDTH = 256
"""Channels of the common space, where neither the objective nor the fusion says it."""
BIAS = -10.0
"""Where the bias of the sigmoid loss starts. Source: Zhai et al. 2023, SigLIP, algorithm 1."""


class Itc(ObjectiveBlock):
    """Image-text contrast: which image of the global batch belongs to this text, and the reverse?

    One vector of each stream before the fusion is projected to a common space and normalised; of a
    stream that the layers of the fusion encode by itself too, behind those.
    Cosines over a learned temperature are compared over all texts and images of a step, whatever
    the number of passes and processes. A pair of the batch that is not a row's own, but known to be
    true, is left out. With `momentum` they are compared with what a moving copy of the model makes
    of the batch, and with `queue` of earlier batches too. Source: Radford et al. 2021, CLIP, figure
    3; Zhai et al. 2023, SigLIP, equation 1; He et al. 2020, Momentum Contrast; Li et al. 2021,
    ALBEF, section 3.2.
    """

    called: ClassVar[tuple[str, ...]] = ("contrastive", "clip", "infonce", "info_nce", "ita")
    scope: ClassVar[Literal["item", "global_batch"]] = "global_batch"
    metric: ClassVar[str] = "itc_accuracy"
    asks: ClassVar[tuple[str, ...]] = ("loss",)
    further_metrics: ClassVar[tuple[str, ...]] = (
        "itc_text_to_image_accuracy",
        "itc_image_to_text_accuracy",
    )
    compares: ClassVar[bool] = True
    head_form: ClassVar[Form | None] = "own"
    head_reads: ClassVar[Literal["tokens", "pooled", "streams"]] = "streams"

    objective: Literal["itc"] = "itc"
    loss: Literal["softmax", "sigmoid"] = key(
        "softmax",
        doc="`softmax` among all images for each text and the reverse (CLIP), or `sigmoid` of each "
        "pair by itself, with a learned bias (SigLIP)",
        impact="training",
    )
    width: int | None = key(
        None,
        doc="channels of the space that both streams are projected to; 256 if absent. A fusion "
        "that has such a space of its own is read instead",
        impact="weights",
        unit="channels",
        ge=1,
        le=65_536,
    )
    bias: bool = key(False, doc="these projections have a bias, as in BLIP", impact="weights")
    temperature: float = key(
        0.07, doc="what cosines are divided by at first; it is learned", impact="training", gt=0
    )
    least_temperature: float = key(
        0.01,
        doc="where the learned temperature stops to fall; 0.01 in CLIP, 0.001 in ALBEF",
        impact="training",
        gt=0,
        ge=1e-4,
    )
    most_temperature: float = key(
        1.0,
        doc="where the learned temperature stops to rise; 0.5 in ALBEF",
        impact="training",
        gt=0,
        le=100,
    )
    momentum: float | None = key(
        None,
        doc="keeps a slow copy of what encodes and projects both streams (the momentum encoder of "
        "MoCo and ALBEF), and compares the model's vectors with those of the copy; at each step "
        "the copy keeps this share of itself and takes the rest from the model, 0.995 in ALBEF. "
        "If absent there is no copy: the model's vectors are compared with each other",
        impact="training",
        gt=0,
        lt=1,
    )
    queue: int = key(
        0,
        doc="so many texts and images of the steps before are compared with too, by the vectors "
        "that the copy made of them then; a multiple of `batch`, and only with `momentum`; 65_536 "
        "in ALBEF",
        impact="training",
        unit="texts",
        ge=0,
        le=2**24,
    )
    soft_targets: float = key(
        0.0,
        doc="share of what is wanted that is spread over texts and images by how alike the copy "
        "finds them; the rest is the own pair's; only with `momentum`; 0.4 in ALBEF",
        impact="training",
        ge=0,
        lt=1,
    )
    weight: float = key(1.0, doc="factor of this loss in the sum", impact="training", gt=0, le=1000)

    def remarks(self, batch: int) -> Iterable[Remark]:
        """There has to be something to compare with, and a temperature within its bounds."""
        if batch < 2:
            yield Remark(
                code="VL513",
                message="there is no other image in the batch",
                label="compares with the other images of the batch",
                help=("take a larger batch",),
                related=(("batch", "one text a step"),),
            )
        if self.least_temperature > self.most_temperature:
            yield Remark(
                code="VL405",
                message="the least temperature is above the most",
                key="least_temperature",
                label=f"`most_temperature` is {self.most_temperature:g}",
                help=("swap them",),
            )
        elif not self.least_temperature <= self.temperature <= self.most_temperature:
            bounds = f"{self.least_temperature} to {self.most_temperature}"
            yield Remark(
                code="VL405",
                message="the temperature starts outside of its bounds",
                key="temperature",
                label=f"is not in {bounds}",
                help=("let it lie between `least_temperature` and `most_temperature`",),
            )

        yield from self._remarks_on_momentum(batch)

    def _remarks_on_momentum(self, batch: int) -> Iterable[Remark]:
        """What a moving copy gives needs one; a queue has room for a batch."""
        if self.momentum is None:
            for name in ("queue", "soft_targets"):
                if getattr(self, name):
                    yield Remark(
                        code="VL546",
                        message=f"`{name}` needs the copy of the model that `momentum` keeps",
                        key=name,
                        label="is made of the vectors of that copy",
                        help=(f"add `momentum = 0.995`, or leave out `{name}`",),
                    )
            return
        if self.loss == "sigmoid":
            yield Remark(
                code="VL546",
                message="`momentum` does not go with `loss = sigmoid`",
                key="momentum",
                label="compares in both directions",
                help=("leave out `loss`, or `momentum`",),
            )
        if self.queue % batch:
            yield Remark(
                code="VL546",
                message="a queue holds whole batches",
                key="queue",
                label=f"is no multiple of {batch}",
                help=(f"take {max(round(self.queue / batch), 1) * batch}",),
                related=(("batch", "texts a step"),),
            )

    def moving(self, space: int | None) -> Moving | None:
        """Return the moving copy, where there is one."""
        if self.momentum is None:
            return None
        width = space or self.width or WIDTH
        return Moving(momentum=self.momentum, queue=self.queue, width=width)

    def remarks_among(
        self, objectives: Sequence[ObjectiveBlock], fusion: FusionBlock
    ) -> Iterable[Remark]:
        """Where the fusion has a space of its own, that is read."""
        if fusion.space is None:
            return
        for name, stated in (("width", self.width is not None), ("bias", self.bias)):
            if stated:
                yield Remark(
                    code="VL506",
                    message=f"`{name}` has no effect",
                    key=name,
                    label=f"`{fusion.word()}` projects both streams to {fusion.space} channels",
                    help=("leave it out: the space of the fusion is read",),
                )
