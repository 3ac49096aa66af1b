"""Records of tensors move as a whole; candidates of a row become a table."""

import torch

from renaissance.compiler.batch import Batch, Candidates, Items, PartlyEncodedTexts, TextRows, Texts


def batch() -> Batch:
    texts = TextRows(
        input_ids=torch.arange(5), cumulative=torch.tensor([0, 2, 5], dtype=torch.int32), longest=3
    )
    cached = PartlyEncodedTexts(
        input_ids=torch.arange(2),
        lengths=(2,),
        contents=(b"one",),
        features=torch.zeros(3, 4),
        cumulative=torch.tensor([0, 2, 5], dtype=torch.int32),
        longest=3,
    )
    group = Candidates(item=torch.tensor([0, 0]), place=torch.tensor([0, 1]), items=1, most=2)
    items = Items(
        text=torch.tensor([0, 1]),
        image=torch.tensor([0, 0]),
        tokens=5,
        target=torch.tensor([1]),
        known=1,
        group=group,
    )
    return Batch(
        images=torch.zeros(1, 3, 2, 2, dtype=torch.uint8),
        texts=Texts(encoded=texts, cached=cached),
        items={"answer": items},
        rows=1,
    )


def test_all_tensors_go_to_the_device_and_nothing_else_changes() -> None:
    before = batch()
    moved = before.to(torch.device("meta"))
    items, texts = moved.items["answer"], moved.texts
    assert texts.encoded is not None and texts.cached is not None and items.group is not None
    tensors = (
        moved.images,
        texts.encoded.input_ids,
        texts.encoded.cumulative,
        texts.cached.features,
        items.text,
        items.target,
        items.group.item,
    )
    assert all(isinstance(part, torch.Tensor) and part.device.type == "meta" for part in tensors)
    assert (items.known, items.tokens, items.group.most, moved.rows) == (1, 5, 2, 1)
    assert texts.cached.contents == (b"one",) and items.positions is None
    assert before.items["answer"].text.device.type == "cpu"


def test_texts_of_one_length_need_no_packing() -> None:
    rows = TextRows(input_ids=torch.arange(6), cumulative=None, longest=3).for_model()
    assert rows.packing is None and rows.input_ids.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_place_without_a_candidate_has_no_chance() -> None:
    group = Candidates(
        item=torch.tensor([0, 1, 1, 1]), place=torch.tensor([0, 0, 1, 2]), items=2, most=3
    )
    scores = torch.tensor([[3.0], [0.0], [1.0], [2.0]], requires_grad=True)
    table = group.table(scores)
    assert table.tolist() == [[3.0, -torch.inf, -torch.inf], [0.0, 1.0, 2.0]]
    (gradient,) = torch.autograd.grad(table.log_softmax(1)[0, 0] + table[1].sum(), scores)
    assert gradient.flatten().tolist() == [0.0, 1.0, 1.0, 1.0]
