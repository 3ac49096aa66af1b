"""Known and learned tokenizers."""

import json
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.tokenizer import SPECIAL, Tokenizer
from renaissance.runtime.objectives.mlm.examples import said

TEXTS = [
    "Is there a red triangle?",
    "what color is the shape",
    "a reddish, triangular shape!",
    "the shapes are red",
]


def words_of(tokenizer: Tokenizer, text: str, max_tokens: int = 32) -> list[list[str]]:
    """Return the tokens of a text by word; special tokens are left out."""
    tokens = tokenizer.encode([text], max_tokens)
    grouped: dict[int, list[str]] = {}
    for number, word in zip(tokens.ids.tolist(), tokens.words.tolist(), strict=True):
        if word >= 0:
            grouped.setdefault(word, []).append(tokenizer.token(number))
    return list(grouped.values())


def test_a_learned_vocabulary_has_the_special_tokens_first() -> None:
    tokenizer = Tokenizer.learned(TEXTS, 80)
    assert [tokenizer.token(number) for number in range(5)] == list(SPECIAL)
    # What is predicted is shown even where it says nothing, or is no token at all.
    none = tokenizer.vocabulary + 7
    assert said(tokenizer, [0, none]) == f"{SPECIAL[0]} #{none}"
    assert (tokenizer.pad_id, tokenizer.mask_id) == (0, 4)
    assert tokenizer.vocabulary <= 80
    assert tokenizer.ordinary_ids.tolist() == list(range(5, tokenizer.vocabulary))


def test_learned_pieces_are_lower_case_and_join_to_words() -> None:
    tokenizer = Tokenizer.learned(TEXTS, 400)
    words = words_of(tokenizer, "The RED shapes, reddish?")
    joined = ["".join(pieces).replace("##", "") for pieces in words]
    assert joined == ["the", "red", "shapes", ",", "reddish", "?"]
    assert all(piece.startswith("##") for pieces in words for piece in pieces[1:])
    assert words[1] == ["red"]


def test_unknown_characters_are_unknown_words() -> None:
    tokenizer = Tokenizer.learned(TEXTS, 200)
    assert words_of(tokenizer, "the Ж shape") == [["the"], ["[UNK]"], ["shape"]]


@pytest.mark.parametrize("vocabulary", [64, 70])
def test_a_small_vocabulary_keeps_to_its_size(vocabulary: int) -> None:
    texts = [*TEXTS, "日本語の文字がたくさんあります", "0123456789 zyxwvutsrq ponmlkjihg fedcba"]
    assert Tokenizer.learned(texts, vocabulary).vocabulary == vocabulary


def test_special_tokens_survive_truncation() -> None:
    tokenizer = Tokenizer.learned(TEXTS, 400)
    tokens = tokenizer.encode(["the red shape is the red shape", "red", ""], 5)
    assert tokens.lengths.tolist() == [5, 3, 2]
    rows = tokens.padded(np.arange(3), tokenizer.pad_id)
    cls, sep = 2, 3
    assert rows.ids[:, 0].tolist() == [cls] * 3
    assert rows.ids[[0, 1, 2], [4, 2, 1]].tolist() == [sep] * 3
    assert rows.ids[1, 3:].tolist() == [0, 0]
    assert rows.present.sum(axis=1).tolist() == [5, 3, 2]
    assert rows.words[0].tolist() == [-1, 0, 1, 2, -1]
    assert rows.words[2].tolist() == [-1] * 5
    assert tokenizer.encode(["the red shape"], 2).ids.tolist() == [cls, sep]


def test_no_texts_at_all() -> None:
    tokens = Tokenizer.learned(TEXTS, 400).encode([], 8)
    assert len(tokens) == 0 and tokens.ids.shape == (0,)


def print_pieces() -> None:
    """Learn from many short random words, all equally frequent: most merges are ties."""
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefgh", k=draw.randint(1, 9))) for _ in range(800)]
    tokenizer = Tokenizer.learned(words, 400)
    print(" ".join(tokenizer.token(number) for number in range(tokenizer.vocabulary)))


def test_every_process_learns_the_same_pieces(capfd: pytest.CaptureFixture[str]) -> None:
    print_pieces()
    here = capfd.readouterr().out
    again = subprocess.run(
        [sys.executable, "-c", f"{Path(__file__).read_text('utf-8')}\nprint_pieces()"],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout == here
    assert len(here.split()) == 400


def test_saved_and_loaded(tmp_path: Path) -> None:
    tokenizer = Tokenizer.learned(TEXTS, 150)
    path = tmp_path / "tokenizer.json"
    tokenizer.encode(TEXTS, 4)
    tokenizer.save(path)
    loaded = Tokenizer.load(path)
    assert loaded.encode(TEXTS, 32).ids.tolist() == tokenizer.encode(TEXTS, 32).ids.tolist()
    assert (loaded.pad_id, loaded.mask_id, loaded.vocabulary) == (0, 4, tokenizer.vocabulary)
    assert loaded.ordinary_ids.tolist() == tokenizer.ordinary_ids.tolist()
    again = tmp_path / "again.json"
    loaded.save(again)
    assert again.read_bytes() == path.read_bytes()
    # The library on its own reads it too.
    assert Backend.from_file(str(path)).encode("red").tokens[:3] == ["[CLS]", "red", "[SEP]"]


def test_pickled_for_worker_processes() -> None:
    tokenizer = Tokenizer.learned(TEXTS, 150)
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert copy.encode(TEXTS, 9).ids.tolist() == tokenizer.encode(TEXTS, 9).ids.tolist()
    assert copy.mask_id == tokenizer.mask_id


@pytest.mark.parametrize("content", [None, "", "{}", "not json", "[1]"])
def test_a_bad_tokenizer_file_is_one_sentence(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match="tokenizer") as error:
        Tokenizer.load(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def byte_level_folder(folder: Path) -> Path:
    """Make a local folder with a byte-level BPE tokenizer as RoBERTa's."""
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(vocab_size=40, special_tokens=special, show_progress=False)
    backend.train_from_iterator(TEXTS, trainer)
    backend.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )
    fast.save_pretrained(folder)
    return folder


def test_a_local_folder_with_byte_level_pieces(tmp_path: Path) -> None:
    tokenizer = Tokenizer.pretrained(str(byte_level_folder(tmp_path / "roberta")))
    assert (tokenizer.pad_id, tokenizer.mask_id) == (1, 4)
    assert set(range(5)).isdisjoint(tokenizer.ordinary_ids.tolist())
    words = words_of(tokenizer, "a reddish, triangular shape")
    joined = ["".join(pieces).replace("Ġ", "") for pieces in words]
    assert joined == ["a", "reddish", ",", "triangular", "shape"]
    assert max(len(pieces) for pieces in words) > 1
    tokens = tokenizer.encode(["a red shape", "red"], 16)
    rows = tokens.padded(np.arange(2), tokenizer.pad_id)
    assert rows.ids[1][~rows.present[1]].tolist() == [1] * int((~rows.present[1]).sum())
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    loaded = Tokenizer.load(path)
    assert (loaded.pad_id, loaded.mask_id) == (1, 4)
    assert loaded.encode(TEXTS, 16).ids.tolist() == tokenizer.encode(TEXTS, 16).ids.tolist()


def test_a_local_folder_with_word_pieces(tmp_path: Path) -> None:
    Tokenizer.learned(TEXTS, 200).save(tmp_path / "tokenizer.json")
    configuration = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"}
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({**configuration, "mask_token": "[MASK]", "unk_token": "[UNK]"})
    )
    tokenizer = Tokenizer.pretrained(str(tmp_path))
    assert tokenizer.mask_id == 4
    assert words_of(tokenizer, "red shapes")[0] == ["red"]


def test_an_unreachable_tokenizer_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name in ("nobody/no-such-model", str(tmp_path)):
        with pytest.raises(DataError, match=r"the tokenizer of `.*` cannot be loaded") as error:
            Tokenizer.pretrained(name)
        assert "\n" not in str(error.value)
        assert ("the hub cannot be reached" in str(error.value)) == (name != str(tmp_path))
