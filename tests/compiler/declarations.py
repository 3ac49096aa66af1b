"""Small declarations that the tests of the compiler build from."""

from typing import Any

import torch

from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.fusions.single_stream.schema import SingleStream
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.packing import Packing
from renaissance.compiler.sources.patches.schema import Patches
from renaissance.compiler.sources.plain.schema import PlainStack
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.compiler.sources.wordpiece.schema import Wordpiece
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import keys_of
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa

TEXT = PlainText(layers=2, width=32, heads=2, max_tokens=12, vocabulary=64)
VISION = PlainVision(layers=2, width=48, heads=3, image_size=32, patch=8)
ELECTRA = RandomArchitecture(
    id="google/electra-small-discriminator", layers=2, width=32, heads=2, max_tokens=12
)
VIT = RandomArchitecture(
    id="google/vit-base-patch16-224", layers=2, width=32, heads=2, image_size=32
)
DEIT = RandomArchitecture(id="deit_tiny_patch16_224", layers=2, width=48, heads=3, image_size=32)
STACK = PlainStack(layers=2, width=32, heads=2)


def two_towers(text: Any = TEXT, vision: Any = VISION, **other: Any) -> Model:
    fusion = CrossAttention(inputs=("text", "vision"), layers=2, width=32, heads=4)
    settings = {"fusion": fusion, "name": "two", "fusion_name": "cross"} | other
    return Model(streams={"text": text, "vision": vision}, **settings)


def one_tower(encoder: Any = STACK, **other: Any) -> Model:
    width = other.pop("width", None)
    words = {"max_tokens": 12, "vocabulary": 64, "width": width} | other.pop("text", {})
    streams = {
        "text": Wordpiece(**words),
        "vision": Patches(image_size=32, patch=8),
    }
    typed = other.pop("type_embedding", True)
    fusion = SingleStream(inputs=("text", "vision"), encoder=encoder, type_embedding=typed)
    settings = {"fusion": fusion, "name": "one", "fusion_name": "joint"} | other
    return Model(streams=streams, **settings)


def joined_by(word: str, **other: Any) -> Model:
    """Return a small model with a fusion that the registry finds."""
    kind = Kinds(FusionBlock)[word]
    own = {name: other.pop(name) for name in [*other] if name in keys_of(kind)}
    base = one_tower(**other) if kind.accepts == "embed" else two_towers(**other)
    sizes = {"layers": 2, "width": 32, "heads": 4, "encoder": STACK}
    chosen = {name: sizes[name] for name in keys_of(kind) if name in sizes}
    fusion = kind(inputs=("text", "vision"), **(chosen | own))
    return base.model_copy(update={"fusion": fusion})


def spec(model: Model, **training: Any) -> Spec:
    common = {"optimizer": AdamW(lr=1e-3), "batch": 8, "steps": 10, "on": model.name} | training
    objectives = common.pop("objectives", (Mlm(), Itm()))
    jobs = {
        "base": Pretrain(name="base", data=("pairs",), objectives=objectives, **common),
        "vqa": Finetune(name="vqa", source="base", task=EasyVqa(), **common),
    }
    return Spec(models={model.name: model}, jobs=jobs)


def packed_texts(rows: int, length: int) -> TextInput:
    """Return texts of one length as training packs them, without saying so."""
    cumulative = torch.arange(0, (rows + 1) * length, length, dtype=torch.int32)
    return TextInput(
        input_ids=torch.randint(2, 60, (rows * length,)),
        packing=Packing(cumulative=cumulative, longest=length),
    )
