"""The splits of a job as its model reads them."""

from collections.abc import Iterable, Mapping

from renaissance.grammar.kinds.registry import facet
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.runtime.data.corpus import Corpus, Split
from renaissance.runtime.data.many_texts import in_order
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.parts import Parts
from renaissance.runtime.data.pictures import Pictures
from renaissance.runtime.data.streams import Showing, TextNeeds
from renaissance.runtime.data.tokenizer import Tokenizer
from renaissance.runtime.data.tokens import Tokens
from renaissance.runtime.feature_cache.known import KnownImages


class Corpora:
    """Splits by name: tokens of all texts, what is right for them, and images.

    The files of a split are read when it is first asked for; those of one file are read once.
    """

    def __init__(
        self,
        job: Pretrain | Finetune,
        parts: Parts,
        tokenizer: Tokenizer,
        answers: tuple[str, ...],
        *,
        text: TextNeeds,
        shown: Mapping[str, Showing],
        room: int,
    ) -> None:
        """Read nothing yet.

        Args:
            job: whose splits they are.
            parts: its rows.
            tokenizer: from texts to tokens.
            answers: of the job's task; empty for pretraining.
            text: what the text stream reads.
            shown: what each stream reads of images.
            room: bytes of decoded images that may be kept.
        """
        self._job, self._parts = job, parts
        self._tokenizer, self._answers = tokenizer, answers
        self._text, self._shown = text, shown
        self._room = room
        self._known: KnownImages | None = None
        self._of_file: dict[str, Corpus] = {}
        self._splits: dict[str, Split] = {}

    def __getitem__(self, name: str) -> Split:
        """Return a split; raises DataError as `Parts` does."""
        if name not in self._splits:
            part = self._parts[name]
            if part.file not in self._of_file:
                self._of_file[part.file] = self._corpus(part)
            self._splits[name] = Split(corpus=self._of_file[part.file], rows=part.rows)
        return self._splits[name]

    @property
    def read(self) -> tuple[Corpus, ...]:
        """What was read so far."""
        return tuple(self._of_file.values())

    def use_features(self, images: KnownImages | None) -> None:
        """Let batches hold features of images where there are some, from now on."""
        self._known = images
        for corpus in self.read:
            corpus.images.use_features(images)

    def tokens(self, texts: Iterable[str], seconds: Iterable[str] | None = None) -> Tokens:
        """Return the tokens of texts, behind which second ones may stand, as a model reads them."""
        return self._tokenizer.encode(texts, self._text.max_tokens, seconds, fill=self._text.fill)

    def _corpus(self, part: Part) -> Corpus:
        table, targets = part.table, None
        if isinstance(self._job, Finetune) and part.labelled:
            task = self._job.task
            targets = facet(task, "reader").targets(task, table, self._answers)
        images = Pictures.of(table, self._shown, room=self._room, features=self._known)
        self._room -= images.cache_bytes
        seconds = None if table.seconds is None else in_order(table.seconds)
        return Corpus(
            table=table,
            tokens=self.tokens(in_order(table.texts), seconds),
            images=images,
            images_of_row=table.images_of_row,
            targets=targets,
        )
