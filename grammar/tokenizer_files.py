"""Does the tokenizer of a local folder fit its encoder? Its files are read without any library."""

import json
from functools import lru_cache
from pathlib import Path

from renaissance.grammar.architectures import Architecture
from renaissance.grammar.encoder_flaws import Flaw
from renaissance.grammar.paths import children, is_file

_VOCABULARIES = ("tokenizer.", "vocab", "spiece", "sentencepiece", "spm", "source.spm", "tekken")
"""How the names of files begin that hold the tokens of a tokenizer."""
_SHORT = 4_000_000
"""Bytes of a file that is read whole each time."""
_AGAIN = "save the tokenizer into this folder again: `tokenizer.save_pretrained(folder)`"


def absent_tokenizer(folder: Path) -> Flaw | None:
    """Say that a folder holds no tokenizer, or one that cannot be read; None if nothing shows.

    Args:
        folder: holds `config.json` of an encoder of texts.
    """
    names = children(folder)
    if not any(name.startswith(_VOCABULARIES) or name.endswith(".model") for name in names):
        help = "save it into the same folder: `tokenizer.save_pretrained(folder)`"
        return Flaw(message=f"the folder `{folder}` holds no tokenizer", help=(help,))
    for name in ("tokenizer_config.json", "tokenizer.json"):
        path = folder / name
        if is_file(path) and not _is_object(path):
            return Flaw(message=f"`{path}` is not readable as a JSON object", help=(_AGAIN,))
    return None


def _is_object(path: Path) -> bool:
    """Tell whether a file holds an object of JSON, by both of its ends where it is long."""
    try:
        with path.open("rb") as file:
            if path.stat().st_size < _SHORT:
                return isinstance(json.loads(file.read()), dict)
            start = file.read(64).lstrip()
            file.seek(-64, 2)
            return start.startswith(b"{") and file.read().rstrip().endswith(b"}")
    except (OSError, ValueError):
        return False


def tokens_in(folder: Path) -> int | None:
    """Return the highest number of a token of a folder and one; None where no file tells."""
    found = _counted(folder)
    return None if found is None else found[1]


def flaw_of_tokenizer(folder: Path, known: Architecture) -> Flaw | None:
    """Say that the word embedding lacks rows for some tokens; None if nothing shows.

    Args:
        folder: holds `config.json` and the tokenizer.
        known: what follows from `config.json`.
    """
    rows, found = known.vocabulary, _counted(folder)
    if rows is None or found is None or found[1] <= rows:
        return None
    path, tokens = found
    return Flaw(
        message=f"`{path}` has {tokens:,} tokens, and the word embedding {rows:,} rows "
        "(`vocab_size`)",
        help=(
            "take the tokenizer that the encoder was trained with",
            "or resize the word embedding and save the encoder again",
        ),
    )


def _counted(folder: Path) -> tuple[Path, int] | None:
    """Return the first file of a folder that tells its tokens, and how many there are."""
    for name in ("tokenizer.json", "vocab.txt"):
        path = folder / name
        try:
            there = path.stat()
        except (OSError, ValueError):
            continue
        tokens = _tokens(path, there.st_size, there.st_mtime_ns)
        return None if tokens is None else (path, tokens)
    return None


@lru_cache(maxsize=64)
def _tokens(path: Path, size: int, changed: int) -> int | None:
    """Return the highest number of a token and one; None where the file does not tell.

    Args:
        path: of the file.
        size: its bytes, and
        changed: when it was written: another file is read anew.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".txt":
            return len(text.removesuffix("\n").split("\n"))  # other separators may be tokens
        said = json.loads(text)
        words = said["model"]["vocab"]
        numbers = [*words.values()] if isinstance(words, dict) else [len(words) - 1]
        numbers += [token["id"] for token in said.get("added_tokens") or ()]
        return int(max(numbers, default=-1)) + 1
    except (AttributeError, LookupError, OSError, TypeError, ValueError):
        return None  # what reads it in earnest says why it cannot
