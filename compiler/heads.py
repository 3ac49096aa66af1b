"""What a job puts on top of a model: scores over word pieces, pairs or answers."""

from torch import Tensor, nn

from renaissance.compiler.model.initialisation import initialise
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa
from renaissance.runtime.tasks.nlvr.schema import Nlvr

CLASSES: dict[type[EasyVqa | Nlvr], int] = {EasyVqa: 13, Nlvr: 2}
"""Answers of each task."""


class MlmHead(nn.Module):
    """Scores of word pieces. Source: Devlin et al. 2019, BERT.

    Args:
        width: channels of the text stream.
        vocabulary: word pieces.
    """

    def __init__(self, width: int, vocabulary: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.activation = nn.GELU()
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.decoder = nn.Linear(width, vocabulary)
        initialise(self)

    def forward(self, tokens: Tensor) -> Tensor:
        """Score masked tokens `[masked, width]` as `[masked, vocabulary]`."""
        return self.decoder(self.norm(self.activation(self.dense(tokens))))  # type: ignore[no-any-return]


class ItmHead(nn.Module):
    """Scores of a text belonging to its image: another's, its own.

    Args:
        width: channels of the pooled vector.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, 2)
        initialise(self)

    def forward(self, pooled: Tensor) -> Tensor:
        """Score pairs `[rows, width]` as `[rows, 2]`."""
        return self.dense(pooled)  # type: ignore[no-any-return]


class AnswerHead(nn.Module):
    """Scores of answers.

    Args:
        width: channels of the pooled vector.
        classes: answers.
    """

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, 2 * width)
        self.norm = nn.LayerNorm(2 * width)
        self.activation = nn.GELU()
        self.outer = nn.Linear(2 * width, classes)
        initialise(self)

    def forward(self, pooled: Tensor) -> Tensor:
        """Score questions `[rows, width]` as `[rows, classes]`."""
        return self.outer(self.activation(self.norm(self.inner(pooled))))  # type: ignore[no-any-return]


def job_heads(
    job: Pretrain | Finetune, *, text_width: int, vocabulary: int, pooled_width: int
) -> nn.ModuleDict:
    """Return the heads that a job trains, by name.

    Args:
        job: its objectives or its task decide.
        text_width: channels of the text stream after fusion.
        vocabulary: word pieces of the text stream.
        pooled_width: channels of the pooled vector.
    """
    heads: dict[str, nn.Module] = {}
    if isinstance(job, Finetune):
        heads["answer"] = AnswerHead(pooled_width, CLASSES[type(job.task)])
    else:
        for objective in job.objectives:
            if objective.objective == "mlm":
                heads["mlm"] = MlmHead(text_width, vocabulary)
            else:
                heads["itm"] = ItmHead(pooled_width)
    return nn.ModuleDict(heads)
