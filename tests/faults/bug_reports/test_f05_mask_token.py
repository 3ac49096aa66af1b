"""The mask token is kept by its number: its spelling says nothing."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from renaissance.runtime import DataError
from renaissance.runtime.data import Tokenizer


def folder_with(folder: Path, mask: str, *others: str) -> Path:
    """Make a tokenizer folder; `others` are ordinary pieces, one of which looks like a mask."""
    special = ["<pad>", "<s>", "</s>", "<unk>"]
    pieces = [*special, *others, mask, *"abcdefgh"]
    backend = Backend(models.WordLevel({p: n for n, p in enumerate(pieces)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.add_special_tokens([*special, mask])
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="<pad>",
        unk_token="<unk>",
        cls_token="<s>",
        sep_token="</s>",
        mask_token=mask,
    ).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("mask", "others"),
    [
        ("<|mask|>", ()),
        ("<special1>", ()),
        ("<mask>", ("[MASK]",)),
        ("[MASK]", ("<mask>",)),
        ("[gMASK]", ("[MASK]", "<mask>")),
    ],
)
def test_what_is_loaded_is_what_was_saved(
    tmp_path: Path, mask: str, others: tuple[str, ...]
) -> None:
    tokenizer = Tokenizer.pretrained(str(folder_with(tmp_path / "folder", mask, *others)))
    assert tokenizer.token(tokenizer.mask_id or 0) == mask
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    loaded = Tokenizer.load(path)
    assert (loaded.mask_id, loaded.pad_id) == (tokenizer.mask_id, tokenizer.pad_id)
    assert loaded.digest == tokenizer.digest
    assert loaded.ordinary_ids.tolist() == tokenizer.ordinary_ids.tolist()
    loaded.save(tmp_path / "again.json")
    assert Tokenizer.load(tmp_path / "again.json").digest == tokenizer.digest


def test_another_mask_is_another_tokenizer(tmp_path: Path) -> None:
    tokenizer = Tokenizer.learned(["a red shape", "a blue one"], 60)
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    special = tmp_path / "tokenizer.special.json"
    special.write_text(special.read_text().replace('"mask_id": 4', '"mask_id": 3'))
    with pytest.raises(DataError, match="not what was written"):
        Tokenizer.load(path)


def test_a_file_that_an_earlier_version_saved(tmp_path: Path) -> None:
    Tokenizer.learned(["a red shape", "a blue one"], 60).save(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.special.json").unlink()
    assert Tokenizer.load(tmp_path / "tokenizer.json").mask_id == 4
