"""Whole words are words, whatever the tokenizer splits: the masked share is the probability."""

from collections.abc import Callable

import numpy as np
import pytest
from tokenizers import AddedToken, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import Tokenizer as Backend

from renaissance.runtime.data.tokenizer import Tokenizer
from renaissance.runtime.objectives.mlm.masking import Chances, mask_words

ENGLISH = [
    f"{article} {color} {shape} stands {place} the {other}ish square number {number}"
    for number, (article, color, shape, place, other) in enumerate(
        (article, color, shape, place, other)
        for article in ("a", "the")
        for color in ("red", "green", "magenta")
        for shape in ("circle", "triangle")
        for place in ("behind", "beside")
        for other in ("blue", "gray")
    )
]
CHINESE = [
    "一只红色的狗坐在草地上看着远方的山",
    "两个孩子在公园里踢足球,天气很好",
    "桌子上有三个苹果和一杯水",
] * 8
JAPANESE = ["赤い犬が草の上に座っています", "子供たちが公園でサッカーをしている"] * 12
THAI = ["สุนัขสีแดงนั่งอยู่บนหญ้า", "เด็กสองคนเล่นฟุตบอลในสวนสาธารณะ"] * 12
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<mask>"]


def gemma(backend: Backend) -> None:
    backend.normalizer = normalizers.Replace(" ", "▁")
    backend.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")


def llama(backend: Backend) -> None:
    backend.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )


def unsplit(backend: Backend) -> None:
    backend.pre_tokenizer = pre_tokenizers.Metaspace(split=False)


def xlm_roberta(backend: Backend) -> None:
    backend.pre_tokenizer = pre_tokenizers.Metaspace()


def byte_level(backend: Backend) -> None:
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)


FAMILIES: list[Callable[[Backend], None]] = [gemma, llama, unsplit, xlm_roberta, byte_level]


def learned(family: Callable[[Backend], None], texts: list[str]) -> Tokenizer:
    """Learn pieces as the family's own tokenizers were: from words."""
    backend = Backend(models.BPE(unk_token="<unk>", byte_fallback=False))
    words = byte_level if family is byte_level else xlm_roberta
    words(backend)
    alphabet = pre_tokenizers.ByteLevel.alphabet() if family is byte_level else []
    backend.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=300,
            min_frequency=13,  # more than a text is repeated below
            special_tokens=SPECIAL,
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )
    backend.pre_tokenizer = None
    family(backend)
    backend.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return Tokenizer(backend, pad_id=0, mask_id=4)


def masked_share(tokenizer: Tokenizer, texts: list[str], probability: float) -> float:
    tokens = tokenizer.encode(texts, 64)
    padded = tokens.padded(np.arange(len(texts)), tokenizer.pad_id)
    masked = sum(
        len(
            mask_words(
                padded,
                Chances.draw(len(texts), padded.ids.shape[1], 0, "test", number),
                probability=probability,
                whole_word=True,
                random=0.1,
                keep=0.1,
                mask_id=4,
                ordinary_ids=tokenizer.ordinary_ids,
            ).positions
        )
        for number in range(20)
    )
    return masked / (20 * int((padded.words >= 0).sum()))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("texts", [ENGLISH, CHINESE, JAPANESE, THAI], ids=["en", "zh", "ja", "th"])
def test_the_masked_share_is_the_probability(
    family: Callable[[Backend], None], texts: list[str]
) -> None:
    tokenizer = learned(family, texts)
    assert masked_share(tokenizer, texts, 0.3) == pytest.approx(0.3, abs=0.06)


@pytest.mark.parametrize("family", FAMILIES)
def test_words_of_english_are_those_between_spaces(family: Callable[[Backend], None]) -> None:
    # Pieces of many texts, so that words of these two consist of several.
    tokenizer = learned(family, ENGLISH)
    tokens = tokenizer.encode(["the magentaish  circles", "a red"], 64)
    first, second = (
        tokens.words[start:end]
        for start, end in zip(tokens.offsets, tokens.offsets[1:], strict=False)
    )
    for words, count in ((first, 3), (second, 2)):
        assert words[0] == words[-1] == -1
        inner = words[1:-1]
        assert inner[0] == 0 and inner[-1] == count - 1
        assert set(np.diff(inner)) <= {0, 1}
    assert len(first) > 5 + 2


def test_pieces_of_one_character_stay_together() -> None:
    tokenizer = learned(byte_level, ENGLISH)  # knows no Chinese: three bytes a character
    tokens = tokenizer.encode(["红狗"], 64)
    assert tokens.words.tolist() == [-1, 0, 0, 0, 1, 1, 1, -1]


def test_learned_pieces_are_counted_as_their_own_splits() -> None:
    tokenizer = Tokenizer.learned(ENGLISH, 60)
    tokens = tokenizer.encode(["a red, blueish dog's 狗狗", ""], 64)
    ends = tokens.offsets
    assert tokens.words[ends[1] :].tolist() == [-1, -1]
    encoded = tokenizer._backend.encode("a red, blueish dog's 狗狗")
    own = [-1 if word is None else word for word in encoded.word_ids]
    assert tokens.words[: ends[1]].tolist() == own
