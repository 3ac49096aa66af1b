"""Heads against those of transformers, in float64."""

import pytest
import torch
from transformers import BertConfig, ElectraConfig
from transformers.models.bert.modeling_bert import BertForMaskedLM
from transformers.models.electra.modeling_electra import ElectraGeneratorPredictions

from renaissance.compiler import build
from renaissance.compiler.errors import CompileError
from renaissance.compiler.heads import job_heads
from renaissance.compiler.model.heads import TiedLmHead
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from tests.compiler.declarations import ELECTRA, one_tower, spec, two_towers

TIED = (Mlm(decoder="tied"), Itm())
WORDS, WIDTH = 50, 24


def drawn(module: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.double().parameters():
            parameter.normal_(std=0.3)
    return module.eval()


def test_a_tied_head_equals_berts() -> None:
    config = BertConfig(
        vocab_size=WORDS, hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=2
    )
    theirs = drawn(BertForMaskedLM(config))
    words = theirs.bert.embeddings.word_embeddings
    mine = TiedLmHead(WIDTH, words).double()
    head = theirs.cls.predictions
    pairs = [
        (head.transform.dense.weight, mine.dense.weight),
        (head.transform.dense.bias, mine.dense.bias),
        (head.transform.LayerNorm.weight, mine.norm.weight),
        (head.transform.LayerNorm.bias, mine.norm.bias),
        (head.bias, mine.bias),
    ]
    assert {own for _, own in pairs} == set(mine.parameters())
    with torch.no_grad():
        for their, own in pairs:
            own.copy_(their)
    tokens = torch.randn(5, WIDTH, dtype=torch.float64, requires_grad=True)
    scores = {True: mine(tokens), False: head(tokens)}
    torch.testing.assert_close(scores[True], scores[False], rtol=0, atol=1e-10)
    gradients = [
        torch.autograd.grad(
            scores[ours].sin().sum(), [tokens, words.weight, *(pair[ours] for pair in pairs)]
        )
        for ours in (False, True)
    ]
    for their, own in zip(*gradients, strict=True):
        torch.testing.assert_close(own, their, rtol=0, atol=1e-10)


def test_a_tied_head_of_narrower_words_maps_to_their_width() -> None:
    theirs = drawn(ElectraGeneratorPredictions(ElectraConfig(hidden_size=WIDTH, embedding_size=8)))
    mine = TiedLmHead(WIDTH, torch.nn.Embedding(WORDS, 8)).double()
    mine.dense.load_state_dict(theirs.dense.state_dict())
    mine.norm.load_state_dict(theirs.LayerNorm.state_dict())
    tokens = torch.randn(5, WIDTH, dtype=torch.float64)
    found = mine.norm(mine.activation(mine.dense(tokens)))
    torch.testing.assert_close(found, theirs(tokens), rtol=0, atol=1e-10)


@pytest.mark.parametrize("text", ["words of its own", "of a library"])
def test_words_have_one_address(text: str) -> None:
    declared = one_tower() if text == "words of its own" else two_towers(ELECTRA)
    own = build(spec(declared), job="base")
    tied = build(spec(declared, objectives=TIED), job="base")
    names = {name for name, _ in tied.named_parameters()}
    words = tied.towers["text"].words()
    assert names == {name for name, _ in own.named_parameters()} - {
        "heads.mlm.decoder.weight",
        "heads.mlm.decoder.bias",
    } | {"heads.mlm.bias"}
    assert set(tied.state_dict()) >= names
    assert tied.heads["mlm"].bias.shape == (words.num_embeddings,)
    read = torch.randn(3, tied.fusion.widths["text"])
    tied.heads["mlm"](read).sum().backward()
    assert words.weight.grad.abs().sum() > 0


def test_a_head_is_tied_to_something() -> None:
    job = spec(two_towers(), objectives=TIED).jobs["base"]
    with pytest.raises(CompileError, match="write `decoder = own`"):
        job_heads(
            job,
            text_width=8,
            lone_width=8,
            stream_widths={},
            space=None,
            vocabulary=9,
            words=None,
            pooled_width=8,
        )
