"""Keys of `mlm`."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.head import Form, Head
from renaissance.grammar.kinds.hiding import wrong_shares
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.remark import Remark
from renaissance.grammar.kinds.source import Modality
from renaissance.grammar.record import replace


class Mlm(ObjectiveBlock):
    """Masked language modelling. Source: Devlin et al. 2019, BERT, section 3.1."""

    called: ClassVar[tuple[str, ...]] = (
        "masked_lm",
        "masked_language_modeling",
        "masked_language_model",
        "bert",
        "mlm_loss",
    )
    changes: ClassVar[Mapping[Modality, str]] = {"text": "masks its texts at random"}
    metric: ClassVar[str] = "mlm_accuracy"
    asks: ClassVar[tuple[str, ...]] = ("probability", "whole_word", "random", "keep")
    head_form: ClassVar[Form | None] = "lm"
    head_reads: ClassVar[Literal["tokens", "pooled", "streams"]] = "tokens"

    objective: Literal["mlm"] = "mlm"
    probability: Share = key(
        Share(0.15),
        doc="share of the words (or tokens) that are predicted",
        impact="training",
        gt=0,
    )
    whole_word: bool = key(
        True,
        doc="mask all pieces of a word together; in scripts without spaces a word is a token",
        impact="training",
    )
    random: Share = key(
        Share(0.1),
        doc="share of the predicted words that are replaced by others; what neither `random` nor "
        "`keep` takes is masked",
        impact="training",
    )
    keep: Share = key(
        Share(0.1), doc="share of the predicted words that stay as they are", impact="training"
    )
    decoder: Literal["own", "tied"] = key(
        "own",
        doc="what scores word pieces: a matrix of its own, or that of the word embeddings, as in "
        "BERT and ViLT",
        impact="weights",
    )
    weight: float = key(1.0, doc="factor of this loss in the sum", impact="training", gt=0, le=1000)

    def head(self) -> Head:
        """Return the head, tied to the word embeddings or not."""
        declared = super().head()
        assert declared is not None  # it has a form
        return replace(declared, tied=self.decoder == "tied")

    def remarks(self, batch: int) -> Iterable[Remark]:
        """Some of the words are hidden, and no more than all are replaced or kept."""
        return wrong_shares(self.random, self.keep, things="words", rest="masked")
