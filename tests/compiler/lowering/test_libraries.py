"""The project's attention inside encoders of transformers and timm: proved, or left alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AttentionMaskInterface, AutoConfig, AutoModel, MPNetModel, Swinv2Model

from renaissance.compiler.backbones import automodel
from renaissance.compiler.backbones.samples import ragged_texts
from renaissance.compiler.errors import BackboneError, CompileError
from renaissance.compiler.lowering.libraries import proof, reading, transformers
from renaissance.compiler.lowering.libraries.hook import HookError, counted, hooked_attention
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.packing import Packing
from renaissance.compiler.model.tower import Stacked, Tower
from renaissance.compiler.sources.huggingface.schema import HuggingFace
from renaissance.compiler.sources.random.schema import RandomArchitecture
from tests.compiler.lowered import lowered_stack, lowered_tower

SIZES = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 14,
}
VISION = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "image_size": 16,
    "patch_size": 4,
}
SWIN = {
    "image_size": 32,
    "patch_size": 4,
    "embed_dim": 16,
    "depths": [1, 1],
    "num_heads": [1, 2],
    "window_size": 4,
}
TEXTS: dict[str, dict[str, Any]] = {
    "electra": SIZES | {"embedding_size": 16},
    "bert": SIZES,
    "roberta": SIZES | {"pad_token_id": 1},
    "xlm-roberta": SIZES | {"pad_token_id": 1},
    "camembert": SIZES | {"pad_token_id": 1},
    "distilbert": {
        "vocab_size": 50,
        "dim": 32,
        "n_layers": 2,
        "n_heads": 2,
        "hidden_dim": 48,
        "max_position_embeddings": 14,
    },
    "albert": SIZES | {"embedding_size": 16},
}
STACKS = {
    "bert": "bert-base-uncased",
    "electra": "google/electra-small-discriminator",
    "roberta": "roberta-base",
    "distilbert": "distilbert-base-uncased",
    "vit": "google/vit-base-patch16-224",
    "deit": "facebook/deit-tiny-patch16-224",
    "timm": "deit_tiny_patch16_224",
}
LENGTHS = (6, 1, 9, 4)


@pytest.fixture(autouse=True)
def nothing_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "_proved", set())


def _tower(folder: Path, family: str, attention: Any = "auto", **changes: Any) -> Tower:
    torch.manual_seed(0)
    sizes = TEXTS.get(family, SIZES) if "image_size" not in changes else {}
    encoder = AutoModel.from_config(AutoConfig.for_model(family, **sizes | changes))
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    encoder.save_pretrained(folder)
    fits: dict[str, Any] = {"max_tokens": 12}
    if "image_size" in changes:
        fits = {"image_size": changes["image_size"]}
    return lowered_tower(
        HuggingFace(id=str(folder), **fits), "x", attention=attention, weights=True
    )


def _texts() -> TextInput:
    """More tokens than a text has positions, and the words that pad other texts among them."""
    ends = torch.tensor([0, *LENGTHS]).cumsum(0, dtype=torch.int32)
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(2, 50, (sum(LENGTHS),), generator=generator)
    return TextInput(input_ids=ids, packing=Packing(cumulative=ends, longest=9))


def _gradients(part: torch.nn.Module, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
    part.zero_grad()
    tokens.sin().sum().backward()
    return {name: p.grad.clone() for name, p in part.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("family", TEXTS)
@pytest.mark.parametrize("attention", ["auto", "sdpa", "eager"])
def test_packed_texts_equal_padded_ones(family: str, attention: Any, tmp_path: Path) -> None:
    tower = _tower(tmp_path, family, attention).double().eval()
    assert tower.facts.packs and not tower.facts.notes
    packed = _texts()
    found, padded = tower(packed), tower(packed.padded())
    wanted = padded.packed().tokens
    assert found.packing is packed.packing and found.tokens.shape == (20, 32)
    torch.testing.assert_close(found.tokens, wanted)
    gradients, others = _gradients(tower, found.tokens), _gradients(tower, wanted)
    assert gradients.keys() == others.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, others[name], msg=name)


def test_packed_texts_equal_the_library(tmp_path: Path) -> None:
    tower = _tower(tmp_path, "xlm-roberta").double().eval()
    encoder = AutoModel.from_pretrained(tmp_path, attn_implementation="eager").double().eval()
    found = tower(_texts()).tokens.split(LENGTHS)
    for text, tokens in zip(_texts().input_ids.split(LENGTHS), found, strict=True):
        torch.testing.assert_close(tokens, encoder(text[None]).last_hidden_state[0])


def test_texts_attend_on_packed_tokens(tmp_path: Path) -> None:
    tower = _tower(tmp_path, "bert").eval()
    seen: list[Any] = []
    for name, module in tower.named_modules():
        if name.endswith("intermediate.dense"):
            module.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape))
    with counted() as calls:
        tower(_texts())
    assert seen == [(1, 20, 32)] * 2
    assert len(calls) == 2


def test_attention_weights_are_dropped_in_training_only(tmp_path: Path) -> None:
    tower = _tower(tmp_path, "bert", hidden_dropout_prob=0.0).train()
    first, second = tower(_texts()).tokens, tower(_texts()).tokens
    assert not torch.equal(first, second)
    tower.eval()
    assert torch.equal(tower(_texts()).tokens, tower(_texts()).tokens)


def _stack(stack: str, folder: Path) -> Stacked:
    spec: Any = HuggingFace(id=str(folder))
    if stack in STACKS:
        spec = RandomArchitecture(id=STACKS[stack], layers=2, width=32, heads=2)
    else:
        AutoModel.from_config(AutoConfig.for_model(stack, **VISION)).save_pretrained(folder)
    try:
        return lowered_stack(spec, "joint", attention="auto", weights=True)
    except BackboneError as error:
        assert "take no mask in transformers" in str(error)
        pytest.skip(str(error))


@pytest.mark.parametrize("stack", [*STACKS, "dinov2", "clip_vision_model"])
def test_packed_rows_of_a_stack_equal_padded_ones(stack: str, tmp_path: Path) -> None:
    part = _stack(stack, tmp_path).double().eval()
    assert part.facts.packs and not part.facts.notes
    packing = _texts().packing
    tokens = torch.randn(20, 32, dtype=torch.float64, requires_grad=True)
    packed = Features(tokens=tokens, packing=packing)
    found, padded = part(packed), part(packed.padded())
    assert found.packing is packing
    wanted = padded.packed().tokens
    torch.testing.assert_close(found.tokens, wanted)
    gradients, others = (_gradients(part, out) for out in (found.tokens, wanted))
    assert gradients.keys() == others.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, others[name], msg=name)


@pytest.mark.parametrize("form", ["padded", "packed"])
@pytest.mark.parametrize("stack", [*STACKS, "dinov2", "clip_vision_model"])
def test_what_is_read_of_a_stack_is_all_that_its_last_layer_computes(
    stack: str, form: str, tmp_path: Path
) -> None:
    part = _stack(stack, tmp_path).double().eval()
    assert not part.facts.notes
    packed = Features(tokens=torch.randn(20, 32).double(), packing=_texts().packing)
    rows = packed if form == "packed" else packed.padded()
    places = torch.tensor([6, 0, 3])
    seen: dict[str, int] = {}

    def noted(name: str) -> Any:
        return lambda _, inputs, __: seen.update({name: inputs[0].shape[-2]})

    for name, module in part.named_modules():
        if isinstance(module, torch.nn.Linear):
            module.register_forward_hook(noted(name))
    found = part(rows, places).tokens
    # The feed-forward part of the last layer.
    narrow = [name for name, tokens in seen.items() if tokens == len(places)]
    assert len(narrow) == 2 and all(name.startswith("layers.1.") for name in narrow)
    wanted = part(rows).read(places).tokens
    torch.testing.assert_close(found, wanted)
    gradients, others = (_gradients(part, out) for out in (found, wanted))
    assert gradients.keys() == others.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, others[name], msg=name)


def test_a_layer_that_reads_wrong_computes_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_NORMS", ())
    part = _stack("dinov2", tmp_path).eval()
    assert part.facts.notes == (
        "`joint` computes all tokens of its last layer, whichever are read",
    )
    rows = Features(tokens=torch.randn(2, 5, 32))
    places = torch.tensor([7, 1])
    assert torch.equal(part(rows, places).tokens, part(rows).read(places).tokens)


def test_a_stack_equals_its_library(tmp_path: Path) -> None:
    spec = RandomArchitecture(id="bert-base-uncased", layers=2, width=32, heads=2)
    torch.manual_seed(0)
    part = lowered_stack(spec, "joint", attention="auto", weights=False).eval()
    torch.manual_seed(0)
    config = automodel.published_configuration(spec, "joint", weights=False)
    encoder: Any = automodel.random_encoder(config, "eager", "joint").eval()
    tokens = torch.randn(1, 5, 32)
    wanted = encoder.encoder(tokens).last_hidden_state
    packing = Packing.uniform(1, 5, tokens.device)
    torch.testing.assert_close(part(Features(tokens=tokens[0], packing=packing)).tokens, wanted[0])


def test_who_never_calls_the_hook_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = _tower(tmp_path, "mpnet").eval()
    assert plain.facts.attention is not None
    assert plain.facts.attention.refusal == "`mpnet` offers no hook"
    # The library says that it does, as it does for others that accept a name and forget it.
    monkeypatch.setattr(MPNetModel, "_supports_attention_backend", True, raising=False)
    tower = _tower(tmp_path, "mpnet").eval()
    assert not tower.facts.packs
    # It adds a mask of truth values to its scores.
    assert "`x` keeps the attention of its library: its layers" in tower.facts.notes[0]
    found, wanted = (part(_texts().padded()).packed().tokens for part in (tower, plain))
    torch.testing.assert_close(found, wanted)


def test_who_silently_computes_its_own_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Swinv2Model, "_supports_attention_backend", True, raising=False)
    tower = _tower(tmp_path, "swinv2", "triton", **SWIN)
    assert tower.facts.attention is not None and tower.facts.attention.library == "eager"
    assert tower.facts.notes == (
        "`x` keeps the attention of its library: its layers call the project's attention 0 times, "
        "not 2",
    )
    assert tower(torch.randn(1, 3, 32, 32)).tokens.shape == (1, 16, 32)


def test_who_loses_the_mask_keeps_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    masks = AttentionMaskInterface._global_mapping
    monkeypatch.setitem(masks, "renaissance_sdpa", lambda **_: None)
    tower = _tower(tmp_path, "bert").eval()
    assert not tower.facts.packs
    assert "its layers give other numbers with the project's attention" in tower.facts.notes[0]
    monkeypatch.undo()
    alone = tower(TextInput(input_ids=_texts().input_ids[:6][None])).tokens
    torch.testing.assert_close(tower(_texts().padded()).tokens[:1, :6], alone)


def test_who_loses_a_bias_keeps_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative positions start at zero, where nobody would miss them."""
    options = VISION | {"use_relative_position_bias": True}
    spec = RandomArchitecture(id="microsoft/beit-base-patch16-224", image_size=32, layers=1)
    tower = lowered_tower(spec, "x", attention="triton", weights=False)
    tables = [p for name, p in tower.named_parameters() if "relative" in name]
    assert tables and not any(table.any() for table in tables)
    assert tower.facts.attention is not None
    if tower.facts.attention.refusal == "`beit` offers no hook":
        pytest.skip("this version of transformers has no hook in BEiT")
    assert tower.facts.attention.library is None

    monkeypatch.setattr(proof, "_proved", set())
    monkeypatch.setattr(
        transformers,
        "hooked_attention",
        lambda query, key, value, rows, **other: hooked_attention(query, key, value, None, **other),
    )
    lost = _tower(tmp_path, "beit", "triton", **options)
    assert lost.facts.attention is not None and lost.facts.attention.library == "sdpa"
    assert "other numbers" in lost.facts.notes[0]


@pytest.mark.parametrize(
    ("family", "changes", "reason"),
    [
        # Its embeddings read the neighbours of a word, across the ends of packed texts.
        ("mobilebert", {"embedding_size": 32}, "other numbers"),
        (
            "modernbert",
            dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id"), 0),
            "`modernbert`",
        ),
        ("deberta-v2", {}, "offers no hook"),
    ],
)
def test_others_keep_their_own(
    family: str, changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    if family == "modernbert":
        changes = changes | {"cls_token_id": 0, "sep_token_id": 0}
    tower = _tower(tmp_path, family, **changes).eval()
    assert tower.facts.attention is not None and not tower.facts.packs
    assert reason in (tower.facts.attention.refusal or "")
    encoder = AutoModel.from_pretrained(tmp_path).eval()
    padded = _texts().padded()
    wanted = encoder(padded.input_ids, attention_mask=padded.mask).last_hidden_state
    torch.testing.assert_close(tower(padded).tokens[padded.mask], wanted[padded.mask])


def test_masks_of_another_kind_are_refused() -> None:
    part = torch.randn(2, 1, 3, 4)
    mask = torch.ones(2, 1, 3, 3, dtype=torch.bool)
    with pytest.raises(HookError, match="a mask of another kind"):
        hooked_attention(part, part, part, mask, attention="sdpa")


def test_a_proof_disturbs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tower = _tower(tmp_path, "bert", "eager")
    tower.encoder.encoder.layer[0].eval()
    flags = [module.training for module in tower.modules()]
    weights = {name: tensor.clone() for name, tensor in tower.state_dict().items()}
    state = torch.get_rng_state()
    cases = ragged_texts(50, 12, 0)
    switch = lambda asked: transformers.set_attention(tower.encoder.config, asked)  # noqa: E731
    settings: dict[str, Any] = {"attention": "auto", "cases": cases, "calls": 2}
    with counted() as calls:
        assert proof.objection(tower, switch, key="once", **settings) is None
    assert not calls
    again = settings | {"calls": 3}
    assert proof.objection(tower, switch, key="once", **again) is not None
    monkeypatch.setattr(proof, "_found", None)
    assert proof.objection(tower, switch, key="once", **settings) is None
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in tower.modules()] == flags
    assert all(torch.equal(weights[name], now) for name, now in tower.state_dict().items())
    assert all(p.grad is None for p in tower.parameters())


def test_a_wrong_number_of_calls_is_no_proof(tmp_path: Path) -> None:
    tower = _tower(tmp_path, "bert")
    cases = ragged_texts(50, 12, 0)
    switch = lambda asked: transformers.set_attention(tower.encoder.config, asked)  # noqa: E731
    found = proof.objection(tower, switch, attention="auto", cases=cases, calls=3, key="three")
    assert found == "its layers call the project's attention 2 times, not 3"


@pytest.mark.parametrize("name", ["deit_tiny_distilled_patch16_224", "vit_tiny_patch16_224"])
def test_layers_of_timm_keep_their_names(name: str) -> None:
    spec = RandomArchitecture(id=name, layers=2, width=32, heads=2, image_size=32)
    towers = []
    for attention in ("sdpa", "triton"):
        torch.manual_seed(0)
        towers.append(lowered_tower(spec, "x", attention=attention, weights=False).eval())  # type: ignore[arg-type]
    own, hooked = towers
    assert own.facts.attention is not None and own.facts.attention.library == "sdpa"
    assert hooked.facts.attention is not None and hooked.facts.attention.library is None
    assert {*own.state_dict()} == {*hooked.state_dict()}
    for key, tensor in own.state_dict().items():
        assert torch.equal(tensor, hooked.state_dict()[key])


@pytest.mark.parametrize("name", ["swin_tiny_patch4_window7_224", "beit_base_patch16_224"])
def test_other_families_of_timm_keep_their_own(name: str) -> None:
    spec = RandomArchitecture(id=name, image_size=224)
    with torch.device("meta"):
        tower = lowered_tower(spec, "x", attention="triton", weights=False)
    assert tower.facts.attention is not None
    assert tower.facts.attention.refusal == f"`{name}` offers no hook"


def test_kernels_that_cannot_run_say_so() -> None:
    spec = RandomArchitecture(id="bert-base-uncased", layers=1, width=32, heads=2, max_tokens=8)
    tower = lowered_tower(spec, "x", attention="triton", weights=False)
    with pytest.raises(CompileError, match="`attention = triton`: fused attention runs on a GPU"):
        tower({"input_ids": torch.ones(1, 3, dtype=torch.long)})
