"""Masked words of all families of tokenizers: whole, by their own token, no special ones."""

from collections.abc import Callable

import numpy as np
import pytest
from tokenizers import AddedToken, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import Tokenizer as Backend

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.tokenizer import Tokenizer
from renaissance.runtime.objectives.mlm.items import check
from renaissance.runtime.objectives.mlm.masking import Chances, Masked, mask_words
from renaissance.runtime.objectives.mlm.schema import Mlm

ENGLISH = [
    "a reddish triangular shape, three circles",
    "the unbelievable greenish squares are overlapping",
    "shapes reshaped into unshapely circlets",
]
CHINESE = ["红色的圆形在左边", "三角形很大"]
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def word_piece() -> Tokenizer:
    """BERT's, with tokens that no text has."""
    backend = Backend(models.WordPiece(unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    spare = [f"[unused{number}]" for number in range(20)]
    alphabet = sorted(set("".join(ENGLISH + CHINESE)) - {" "})
    backend.train_from_iterator(
        ENGLISH + CHINESE,
        trainers.WordPieceTrainer(
            vocab_size=170, special_tokens=BERT, initial_alphabet=alphabet, show_progress=False
        ),
    )
    pieces = backend.get_vocab()
    pieces |= {token: len(pieces) + number for number, token in enumerate(spare)}
    backend.model = models.WordPiece(pieces, unk_token="[UNK]")
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return Tokenizer(backend, pad_id=0, mask_id=4)


def byte_level() -> Tokenizer:
    """RoBERTa's: `Ġ` starts a word, and its mask token takes the space before it."""
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    backend.train_from_iterator(
        ENGLISH + CHINESE,
        trainers.BpeTrainer(
            vocab_size=300, special_tokens=ROBERTA, initial_alphabet=alphabet, show_progress=False
        ),
    )
    backend.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    backend.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return Tokenizer(backend, pad_id=1, mask_id=4)


def unigram() -> Tokenizer:
    """XLM-R's and ALBERT's: `▁` starts a word."""
    backend = Backend(models.Unigram())
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.train_from_iterator(
        ENGLISH + CHINESE,
        trainers.UnigramTrainer(
            vocab_size=90, special_tokens=ROBERTA, unk_token="<unk>", show_progress=False
        ),
    )
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return Tokenizer(backend, pad_id=1, mask_id=4)


FAMILIES = [word_piece, byte_level, unigram]
family = pytest.mark.parametrize("family", FAMILIES)


def masked(tokenizer: Tokenizer, texts: list[str], **shares: float) -> tuple[np.ndarray, Masked]:
    """Mask half of the words; return the tokens as they were, and masked."""
    assert tokenizer.mask_id is not None
    tokens = tokenizer.encode(texts, 64)
    text = tokens.padded(np.arange(len(texts)), tokenizer.pad_id)
    found = mask_words(
        text,
        Chances.draw(len(texts), 64, 3, "mask train", 0),
        probability=0.5,
        whole_word=True,
        random=shares.get("random", 0.1),
        keep=shares.get("keep", 0.1),
        mask_id=tokenizer.mask_id,
        ordinary_ids=tokenizer.ordinary_ids,
    )
    return text.ids, found


def words(tokenizer: Tokenizer, text: str) -> list[str]:
    """Return the words of a text, each as its tokens spell it."""
    tokens = tokenizer.encode([text], 64)
    joined = [""] * (int(tokens.words.max()) + 1)
    for number, word in zip(tokens.ids.tolist(), tokens.words.tolist(), strict=True):
        if word >= 0:
            joined[word] += tokenizer.token(number).removeprefix("##").strip("Ġ▁")
    return joined


@family
def test_all_pieces_of_a_word_are_masked_together(family: Callable[[], Tokenizer]) -> None:
    tokenizer = family()
    texts = ["unbelievables reshapedly circletish", "a triangularish shapelet"] * 30
    ids, found = masked(tokenizer, texts, random=0, keep=0)
    rows = tokenizer.encode(texts, 64).padded(np.arange(len(ids)), tokenizer.pad_id).words
    hidden = found.ids == tokenizer.mask_id
    shared = 0
    for row in range(len(ids)):
        for number in range(rows[row].max() + 1):
            pieces = hidden[row, rows[row] == number]
            assert pieces.all() or not pieces.any()
            shared += len(pieces) > 1
    assert shared  # there are words of several pieces


@family
def test_words_stand_between_spaces(family: Callable[[], Tokenizer]) -> None:
    assert words(family(), "the unbelievable circlets are reshaped") == [
        "the",
        "unbelievable",
        "circlets",
        "are",
        "reshaped",
    ]


@family
def test_a_character_is_a_word_where_scripts_have_no_spaces(
    family: Callable[[], Tokenizer],
) -> None:
    text = "大边左很红三"  # not in this order where the pieces come from
    tokens = family().encode([text], 64)
    assert tokens.words.max() + 1 == len(text)


@family
def test_special_tokens_stay_even_if_a_text_spells_them(family: Callable[[], Tokenizer]) -> None:
    tokenizer = family()
    special = BERT if tokenizer.pad_id == 0 else ROBERTA
    numbers = [n for n in range(5) if special[n] not in ("[UNK]", "<unk>")]
    texts = [f"shapes {special[4]} circles {special[2]} red {special[3]} squares"] * 50
    ids, found = masked(tokenizer, texts, random=0.5, keep=0)
    was_special = np.isin(ids, numbers)
    assert was_special.sum() > 2 * len(texts)  # some of them are in the text
    assert (found.ids[was_special] == ids[was_special]).all()
    assert not np.isin(found.labels, numbers).any()
    assert len(found.positions) >= len(texts)
    row = np.unique(found.positions // ids.shape[1])
    assert len(row) == len(texts)  # a spelled token takes no word's place


@family
def test_what_replaces_a_word_is_ordinary(family: Callable[[], Tokenizer]) -> None:
    tokenizer = family()
    _, found = masked(tokenizer, ENGLISH * 60, random=1, keep=0)
    drawn = {tokenizer.token(n) for n in np.unique(found.ids.reshape(-1)[found.positions])}
    assert len(drawn) > 30
    assert not drawn & {*BERT, *ROBERTA}
    assert not any("unused" in token for token in drawn)


def test_words_that_a_user_added_are_ordinary() -> None:
    backend = Backend.from_str(word_piece()._backend.to_str())
    backend.add_tokens(["blorb"])
    tokenizer = Tokenizer(backend, pad_id=0, mask_id=4)
    number = backend.token_to_id("blorb")
    assert number in tokenizer.ordinary_ids
    assert words(tokenizer, "red blorb shapes") == ["red", "blorb", "shapes"]


def test_special_tokens_that_a_file_does_not_call_so() -> None:
    pieces = {token: number for number, token in enumerate([*BERT, "red", "shape"])}
    backend = Backend(models.WordPiece(pieces, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer = Tokenizer(backend, pad_id=0, mask_id=4)
    assert tokenizer.ordinary_ids.tolist() == [5, 6]


def test_a_tokenizer_without_a_mask_token_is_one_sentence() -> None:
    tokenizer = unigram()
    tokenizer.mask_id = None  # T5 has none
    with pytest.raises(DataError, match="no mask token, which the objective `mlm` needs"):
        check(Mlm(), tokenizer, "base")
