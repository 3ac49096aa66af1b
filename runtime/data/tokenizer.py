"""From texts to token numbers: a tokenizer that is known, or one that is learned."""

import hashlib
import logging
import re
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from renaissance.compiler.backbones.hub import UNREACHABLE, look_for_hub
from renaissance.grammar.writing import write_whole
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.text_pairs import joining_pairs, words_of_pairs
from renaissance.runtime.data.tokens import Tokens, offsets_of
from renaissance.runtime.data.words import words_of
from renaissance.runtime.errors import DamageError
from renaissance.runtime.sealed import seal, unseal

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""Special tokens of a learned vocabulary; `[PAD]` is number 0."""

TOKENIZER = "tokenizer.json"
"""What a job calls the file of its tokenizer."""
MASKS = ("[MASK]", "<mask>")
"""How a mask token is spelled where nothing says which token it is."""
UNKNOWNS = ("[UNK]", "<unk>")
"""How the token is spelled that stands for what has none, likewise."""
_SPARE = re.compile(r"[\[<]\|?(unused|reserved|extra_id|madeupword)[\w-]*\|?[\]>]", re.IGNORECASE)
"""How tokens are spelled that no text has: those of BERT, Gemma, Llama, T5 and fairseq."""
T = TypeVar("T")
CHUNK = 10_000
"""Texts that are tokenised in one call."""


class Special(BaseModel):
    """What stands beside a `tokenizer.json`, whose format has no place for it.

    Attributes:
        format: of the file.
        pad_id: token that fills a text up.
        mask_id: token that hides a word; None where the tokenizer has none.
        digest: of the tokenizer with these numbers, see `Tokenizer.digest`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 2
    pad_id: int
    mask_id: int | None
    digest: str


def special_path(path: Path) -> Path:
    """Return where the numbers of special tokens of a tokenizer file are kept."""
    return path.with_suffix(".special.json")


class Tokenizer:
    """Word pieces with what training must know about them.

    Attributes:
        pad_id: token that fills a text up to the longest of its batch.
        mask_id: token that hides a word; None where the tokenizer has none.
        vocabulary: number of tokens.
        ordinary_ids: `[ordinary]` int64, the tokens that texts are made of: neither special ones
            nor spare ones, such as `[unused7]`.
        digest: SHA-256 of the file that `save` writes, and of the numbers of special tokens.
    """

    def __init__(self, backend: Backend, *, pad_id: int, mask_id: int | None) -> None:
        """Wrap a tokenizer of the tokenizers library."""
        self._backend = backend
        self._digest: str | None = None
        self._backend.no_padding()
        self.pad_id = pad_id
        self.mask_id = mask_id
        self.vocabulary: int = backend.get_vocab_size(with_added_tokens=True)
        special, numbers = self._special_ids(), backend.get_vocab()
        self._code = "H" if max(numbers.values(), default=0) <= np.iinfo(np.uint16).max else "i"
        self.ordinary_ids = np.array(
            sorted(
                number
                for token, number in numbers.items()
                if number not in special and _SPARE.fullmatch(token) is None
            ),
            np.int64,
        )
        # An unknown word is a word.
        self._special = np.array(sorted(special - {self._unknown()}), np.int32)

    def _special_ids(self) -> set[int]:
        """Return the tokens that stand for no text, whether or not the file calls them special."""
        backend = self._backend
        added = {n for n, token in backend.get_added_tokens_decoder().items() if token.special}
        known = {self.pad_id, self.mask_id, self._unknown(), *backend.encode("").ids}
        return added | {number for number in known if number is not None}

    def _unknown(self) -> int | None:
        """Return the token of what has no token of its own; None where there always is one."""
        named = getattr(self._backend.model, "unk_token", None)
        found = map(self._backend.token_to_id, (named,) if named else UNKNOWNS)
        return next((number for number in found if number is not None), None)

    @property
    def wordless(self) -> bool:
        """Whether it knows special tokens alone: what is learned from texts without a character."""
        return not len(self.ordinary_ids)

    @classmethod
    def pretrained(cls, name: str, revision: str = "main") -> "Tokenizer":
        """Load the tokenizer of a hub id or of a local folder.

        Raises:
            DataError: if it cannot be reached, is empty, or has no fast form or no padding token.
        """
        from transformers import AutoTokenizer

        where = {} if Path(name).is_dir() else {"revision": revision}
        there = not where or look_for_hub()
        # It tells of every attempt to connect; one sentence at the end is enough.
        hub = logging.getLogger("huggingface_hub")
        level = hub.level
        hub.setLevel(logging.ERROR)
        try:
            loaded = AutoTokenizer.from_pretrained(name, **where)
        except Exception as problem:  # of damaged files whatever their reading stumbles over
            if not there and isinstance(problem, OSError):
                raise DataError(
                    f"the tokenizer of `{name}` cannot be loaded: {UNREACHABLE}; a local folder "
                    "works too"
                ) from None
            reason = str(problem).strip().splitlines()[0] if str(problem).strip() else ""
            raise DataError(
                f"the tokenizer of `{name}` cannot be loaded ({type(problem).__name__}: "
                f"{reason.rstrip('.')}); check the name and the connection, or give the path of a "
                "local folder"
            ) from None
        finally:
            hub.setLevel(level)
        backend = getattr(loaded, "backend_tokenizer", None)
        if backend is None:
            raise DataError(f"the tokenizer of `{name}` has no tokenizer.json form")
        if loaded.pad_token_id is None:
            raise DataError(f"the tokenizer of `{name}` has no padding token")
        found = cls(
            Backend.from_str(backend.to_str()),
            pad_id=loaded.pad_token_id,
            mask_id=loaded.mask_token_id,
        )
        # The library makes one of special tokens alone where the files are missing.
        if len(found.ordinary_ids) < 2:
            raise DataError(
                f"the tokenizer of `{name}` has no tokens but special ones: its files are missing; "
                "save the tokenizer into the same folder as the encoder"
            )
        return found

    @classmethod
    def learned(cls, texts: Collection[str], vocabulary: int) -> "Tokenizer":
        """Learn lower-case word pieces; the same texts always give the same pieces.

        Args:
            texts: what to learn from; they are gone through twice.
            vocabulary: most pieces, special tokens included.
        """
        backend = _empty_word_pieces()
        pieces = _learn_pieces(backend, texts, vocabulary)
        # A fresh one: characters are special tokens of the one that was trained.
        return cls(_with_pieces(_empty_word_pieces(), pieces), pad_id=0, mask_id=4)

    @classmethod
    def load(cls, path: str | Path) -> "Tokenizer":
        """Read what `save` wrote.

        Raises:
            DataError: if the file is missing, is no tokenizer, or is not what was written.
        """
        path = Path(path)
        if not path.is_file():
            raise DataError(f"there is no tokenizer at `{path}`")
        try:
            text = path.read_text(encoding="utf-8")
            backend = Backend.from_str(text)
        except Exception as problem:  # the library raises nothing more precise
            raise DataError(f"`{path}` is no tokenizer file: {problem}") from None
        if backend.padding is None:
            raise DataError(f"`{path}` does not say which token is the padding")
        special = _special(path)
        if special is None:
            masks = [backend.token_to_id(token) for token in MASKS]
            mask_id = next((mask for mask in masks if mask is not None), None)
            loaded = cls(backend, pad_id=backend.padding["pad_id"], mask_id=mask_id)
        else:
            loaded = cls(backend, pad_id=special.pad_id, mask_id=special.mask_id)
        loaded._digest = _digest(text, loaded.pad_id, loaded.mask_id)
        if special is not None and special.digest != loaded._digest:
            raise DataError(f"the tokenizer in `{path}` is not what was written (SHA-256)")
        return loaded

    def save(self, path: str | Path) -> None:
        """Write one `tokenizer.json` that `load` and the tokenizers library read back.

        Beside it, and before it, appear the numbers of its special tokens.
        """
        path, text = Path(path), self._text()
        digest = _digest(text, self.pad_id, self.mask_id)
        special = Special(pad_id=self.pad_id, mask_id=self.mask_id, digest=digest)
        write_whole(special_path(path), seal(special))
        write_whole(path, text)

    @property
    def digest(self) -> str:
        """SHA-256 of the file that `save` writes, and of the numbers of special tokens."""
        if self._digest is None:
            self._digest = _digest(self._text(), self.pad_id, self.mask_id)
        return self._digest

    def _text(self) -> str:
        self._backend.no_truncation()
        self._backend.enable_padding(
            pad_id=self.pad_id, pad_token=self._backend.id_to_token(self.pad_id)
        )
        text: str = self._backend.to_str(pretty=True)
        self._backend.no_padding()
        return text

    def check_fits(self, rows: int, encoder: str) -> None:
        """Refuse an encoder whose word embedding lacks rows for some tokens.

        Args:
            rows: of the word embedding.
            encoder: what to call it in the message.

        Raises:
            DataError: naming both numbers.
        """
        needed = int(max(self._backend.get_vocab(with_added_tokens=True).values(), default=-1)) + 1
        if needed > rows:
            raise DataError(
                f"the tokenizer has {needed} tokens, the word embedding of {encoder} {rows} rows: "
                "resize the embedding and save the encoder again, or take the tokenizer that it "
                "was trained with"
            )

    def encode(
        self,
        texts: Iterable[str],
        max_tokens: int,
        seconds: Iterable[str] | None = None,
        *,
        fill: bool = False,
    ) -> Tokens:
        """Tokenise texts once and for all.

        Args:
            texts: any number of them.
            max_tokens: longest text, special tokens included; longer ones lose their end, never
                their special tokens. Of two texts the longer one is cut first.
            seconds: a second text for each, to stand behind it as the tokenizer joins two.
            fill: fill texts up to `max_tokens` with padding, which is a part of them then.
        """
        backend = self._backend if seconds is None else joining_pairs(self._backend)
        given: Iterable[Any] = texts if seconds is None else zip(texts, seconds, strict=True)
        backend.enable_truncation(max_tokens)
        # Arrays of Python grow in place: nothing is held twice.
        few = max_tokens <= np.iinfo(np.int8).max
        ids, words, lengths = array(self._code), array("b" if few else "h"), array("i")
        for texts_of_chunk in _chunks(given):
            encoded = backend.encode_batch(texts_of_chunk)
            lengths.extend(map(len, encoded))
            found = np.fromiter(chain.from_iterable(e.ids for e in encoded), np.int32)
            if seconds is None:
                of = words_of(texts_of_chunk, encoded, np.isin(found, self._special))
            else:
                of = words_of_pairs(encoded)
            ids.frombytes(found.astype(ids.typecode).tobytes())
            words.frombytes(of.astype(words.typecode).tobytes())
        tokens = Tokens(
            ids=np.frombuffer(ids, ids.typecode),
            words=np.frombuffer(words, words.typecode),
            offsets=offsets_of(np.frombuffer(lengths, np.int32)),
        )
        return tokens.filled(max_tokens, self.pad_id) if fill else tokens

    def text_of(self, ids: Sequence[int]) -> str:
        """Return what tokens say; of special ones only that which hides a word."""
        hidden = {*self._special.tolist()} - {self.mask_id}
        kept = [number for number in ids if number not in hidden]
        text: str = self._backend.decode(kept, skip_special_tokens=False)
        return text.strip()

    def token(self, number: int) -> str:
        """Return how a token is written; of a row of embeddings that stands for none its number."""
        token: str | None = self._backend.id_to_token(number)
        return f"#{number}" if token is None else token


def _special(path: Path) -> Special | None:
    """Read what stands beside a tokenizer file; None beside that of an earlier version."""
    try:
        return unseal(special_path(path), Special, "record of special tokens")
    except FileNotFoundError:
        return None
    except DamageError as damage:
        raise DataError(f"the tokenizer `{path}` cannot be used: {damage}") from None


def _digest(text: str, pad_id: int, mask_id: int | None) -> str:
    return hashlib.sha256(f"{pad_id} {mask_id} {text}".encode()).hexdigest()


def _chunks(texts: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(texts)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _empty_word_pieces() -> Backend:
    backend = Backend(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return backend


def _with_pieces(backend: Backend, pieces: list[str]) -> Backend:
    numbers = {piece: number for number, piece in enumerate(pieces)}
    backend.model = models.WordPiece(numbers, unk_token="[UNK]", max_input_chars_per_word=100)
    backend.add_special_tokens(list(SPECIAL))
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[("[CLS]", numbers["[CLS]"]), ("[SEP]", numbers["[SEP]"])],
    )
    backend.decoder = decoders.WordPiece()
    return backend


def _learn_pieces(backend: Backend, texts: Collection[str], vocabulary: int) -> list[str]:
    """Merge characters to pieces, the most frequent pair first.

    The trainer numbers characters in the order of a hash table and breaks ties between merges by
    these numbers; giving it all characters in a fixed order first makes it reproducible.
    """
    characters: Counter[str] = Counter()
    for piece in _chunks(texts):
        for text, times in Counter(piece).items():
            for word, _ in backend.pre_tokenizer.pre_tokenize_str(
                backend.normalizer.normalize_str(text)
            ):
                for character in word:
                    characters[character] += times
    # A character needs two pieces: one that starts a word and one that goes on with it.
    room = (vocabulary - len(SPECIAL)) // 2
    alphabet = sorted(sorted(characters, key=lambda c: (-characters[c], c))[:room])
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        min_frequency=1,
        special_tokens=[*SPECIAL, *alphabet, *(f"##{character}" for character in alphabet)],
        limit_alphabet=0,
        show_progress=False,
        continuing_subword_prefix="##",
    )
    backend.train_from_iterator(iter(texts), trainer)
    numbers = backend.get_vocab()
    return sorted(numbers, key=numbers.__getitem__)
