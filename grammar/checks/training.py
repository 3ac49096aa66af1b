"""Can a training job run as it is described, and does every key of it do something?"""

import re
from collections.abc import Mapping

from renaissance.grammar.anatomy.model import Selected
from renaissance.grammar.anatomy.selectors import specificity
from renaissance.grammar.borrowed import ours
from renaissance.grammar.checks.job_freezing import frozen_leaves
from renaissance.grammar.checks.selecting import beyond_layers, no_head, no_match
from renaissance.grammar.declaration import Minutes, Share
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import VALIDATION
from renaissance.grammar.kinds.remark import Remark
from renaissance.grammar.names import listing, nearest, suggestion
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.jobs import Finetune, Job, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.source import Span
from renaissance.grammar.spelling import number_text

MOST_MINUTES = 7 * 24 * 60
"""A longer time between checkpoints is a slip of the pen."""


def check_training(
    job: Pretrain | Finetune, jobs: Mapping[str, Job | None], places: Places, findings: Findings
) -> None:
    """Report what cannot be in a training job.

    Args:
        job: the job.
        jobs: all jobs by name.
        places: where everything was said.
        findings: receives what is wrong.
    """
    check = _Check(job, places, findings)
    check.rate()
    check.optimizer()
    check.length()
    check.batches()
    check.moments()
    check.validation()
    if isinstance(job, Pretrain):
        check.objectives(job)
    else:
        check.selection(job)


def check_length(name: str, keys: Mapping[str, Span], where: Span, findings: Findings) -> None:
    """Report a job that states its length twice or not at all.

    Args:
        name: of the job.
        keys: places of the keys that it sets.
        where: place of its name.
        findings: receives what is wrong.
    """
    lengths = {"steps", "epochs"}
    if lengths <= keys.keys():
        first, second = sorted((keys["steps"], keys["epochs"]), key=lambda span: span.start)
        findings.add(
            Diagnostic(
                code="VL501",
                message=f"job `{name}` states its length twice",
                span=second,
                label="stated again",
                related=(Label(span=first, text="stated here"),),
                help=("keep one of `steps` and `epochs`",),
            )
        )
    elif lengths.isdisjoint(keys) and not any(
        nearest(key, lengths) or lengths.intersection(ours(key)) for key in keys
    ):
        findings.add(
            Diagnostic(
                code="VL501",
                message=f"job `{name}` does not state its length",
                span=where,
                label="`steps` or `epochs` is missing",
                help=("add `steps = …` or `epochs = …`",),
            )
        )


def check_scales(
    job: Pretrain | Finetune, model: Model, places: Places, findings: Findings
) -> None:
    """Report learning-rate factors of components that do not exist, do not learn, or clash."""
    anatomy = model.anatomy(job.heads())
    frozen = frozen_leaves(model, anatomy)
    sound: dict[str, Selected] = {}
    for address in job.scale_lr:
        path = ("jobs", job.name, "scale_lr", address)
        span = places.key(path)
        if span is None:
            raise LookupError(f"nothing was said about {path}")
        found = anatomy.select(address)
        if not found.leaves:
            inside = model.anatomy().select(address).leaves
            findings.add(
                no_head("scale_lr", address, tuple(h.name for h in job.heads()), span)
                if inside
                else no_match("scale_lr", address, model.name, anatomy, span)
            )
            continue
        findings.extend(beyond_layers(address, anatomy, span))
        if found.leaves <= frozen:
            findings.add(
                _no_effect(span, f"`{address}` has no effect here", "it is frozen throughout")
            )
        _clash(job, address, found, sound, places, findings)
        sound[address] = found


def _clash(
    job: Pretrain | Finetune,
    address: str,
    found: Selected,
    earlier: Mapping[str, Selected],
    places: Places,
    findings: Findings,
) -> None:
    """Report two factors for the same weights of which neither address is the narrower one."""
    for other, others in earlier.items():
        if (
            specificity(other) != specificity(address)
            or job.scale_lr[other] == job.scale_lr[address]
            or not (found.certain and others.certain and found.leaves & others.leaves)
        ):
            continue
        both = min(leaf.address for leaf in found.leaves & others.leaves)
        path = ("jobs", job.name, "scale_lr")
        findings.add(
            Diagnostic(
                code="VL517",
                message=f"`{other}` and `{address}` both set the learning rate of `{both}`",
                span=places.key((*path, address)) or places.values[path],
                label=f"times {number_text(job.scale_lr[address])}",
                related=(
                    Label(
                        span=places.key((*path, other)) or places.values[path],
                        text=f"times {number_text(job.scale_lr[other])}",
                    ),
                ),
                help=("let them name different parts, or one of them a narrower one",),
                notes=("where addresses overlap, the one with more parts counts",),
            )
        )
        return


def check_sharding(
    job: Pretrain | Finetune, model: Model, places: Places, findings: Findings
) -> None:
    """Report a job that splits weights of which some are to learn later."""
    span = places.value(("jobs", job.name, "shard"))
    later = [directive for directive in model.freeze if directive.until is not None]
    if job.shard == "full" and later and span is not None:
        findings.add(
            Diagnostic(
                code="VL514",
                message="`shard = full` does not go with `freeze … until`",
                span=span,
                label=f"`{', '.join(later[0].selectors)}` learns from some step on",
                help=("write `shard = none`, or leave out `until`",),
                notes=("how weights are split is decided at the start of the job",),
            )
        )


class _Check:
    def __init__(self, job: Pretrain | Finetune, places: Places, findings: Findings) -> None:
        self._job = job
        self._path: Path = ("jobs", job.name)
        self._places = places
        self._findings = findings

    def _key(self, name: str) -> Span:
        span = self._places.key((*self._path, *name.split(".")))
        if span is None:
            raise LookupError(f"nothing was said about {self._path}")
        return span

    def _value(self, *names: str | int) -> Span:
        span = self._places.value((*self._path, *names))
        if span is None:
            raise LookupError(f"nothing was said about {self._path}")
        return span

    def _useless(self, name: str, reason: str) -> None:
        if self._places.said((*self._path, *name.split("."))):
            message = f"`{name.split('.')[-1]}` has no effect here"
            self._findings.add(_no_effect(self._key(name), message, reason))

    def rate(self) -> None:
        """The learning rate is one with which something is learned."""
        optimizer = self._job.optimizer
        rate, highest = optimizer.lr, optimizer.highest_rate
        if rate <= highest:
            return
        span = self._value("optimizer", "lr")
        usual = " and ".join(f"`{usual}`" for usual in optimizer.usual_rates)
        slip = re.fullmatch(r"(\d+(?:\.\d+)?[eE])(\d+)", span.text)
        self._findings.add(
            Diagnostic(
                code="VL519",
                message=f"a learning rate of {number_text(rate)} is far too high",
                span=span,
                severity="warning",
                label=f"with {type(optimizer).__name__} nothing is learned beyond "
                f"{number_text(highest)}",
                help=(
                    f"was `{slip[1]}-{slip[2]}` meant?"
                    if slip
                    else f"usual are rates between {usual}",
                ),
            )
        )

    def optimizer(self) -> None:
        """The keys of the optimizer go together."""
        for remark in self._job.optimizer.remarks():
            self._remark(remark, ("optimizer",), self._key("optimizer"))

    def length(self) -> None:
        """The warm-up ends before the run does."""
        job, warmup = self._job, self._job.schedule.warmup
        whole = isinstance(warmup, Share) and warmup >= 1
        if isinstance(warmup, Share):
            longer = whole
        else:
            longer = job.steps is not None and warmup >= job.steps
        if longer:
            self._findings.add(
                Diagnostic(
                    code="VL507",
                    message=f"the warm-up of job `{job.name}` is as long as the run",
                    span=self._value("schedule", "warmup"),
                    label="the full learning rate is never held"
                    if whole
                    else f"the run has {job.steps} steps",
                    help=("take a small part of the run, such as `warmup = 10%`",),
                )
            )

    def batches(self) -> None:
        """PartialModel of a batch are no larger than the batch."""
        job = self._job
        for name in ("micro_batch", "texts_per_image"):
            part = getattr(job, name)
            if part is not None and part > job.batch:
                self._findings.add(
                    Diagnostic(
                        code="VL508",
                        message=f"`{name}` is larger than `batch`",
                        span=self._value(name),
                        label=f"a batch has {job.batch} texts",
                        related=(Label(span=self._value("batch"), text="size of the batch"),),
                        help=(f"take at most {job.batch}, or a larger `batch`",),
                    )
                )

    def moments(self) -> None:
        """Validations and checkpoints happen within the run."""
        for name in ("validate_every", "checkpoint_every"):
            every = getattr(self._job, name)
            if isinstance(every, Minutes):
                if not 1 <= every <= MOST_MINUTES:
                    self._out_of_range(
                        name, f"between `1min` and `{MOST_MINUTES // 60}h` is wanted"
                    )
            elif isinstance(every, Share):
                continue
            elif self._job.steps is not None and every > self._job.steps:
                self._useless(name, f"the run has {self._job.steps} steps")

    def _out_of_range(self, name: str, label: str) -> None:
        self._findings.add(
            Diagnostic(
                code="VL405",
                message=f"`{name}` is out of range",
                span=self._value(name),
                label=label,
            )
        )

    def validation(self) -> None:
        """A held-out share leaves something to learn from, and something to select on."""
        job = self._job
        share: Share | None
        path: tuple[str, ...]
        if isinstance(job, Pretrain):
            share, path = job.validation, (VALIDATION,)
        else:
            split = job.task.splits().get(VALIDATION)
            share = None if split is None else split.held_out
            path = ("task", VALIDATION)
        if share is None:
            return
        if share >= 1:
            self._findings.add(
                Diagnostic(
                    code="VL511",
                    message="nothing is left to learn from",
                    span=self._value(*path),
                    label="holds out everything",
                    help=("hold out less, such as `5%`",),
                )
            )
        elif float(share) == 0:
            self._useless("validate_every", "nothing is held out to validate on")
            self._useless("select", "nothing is held out to select the best checkpoint on")
            if isinstance(job, Finetune):
                self._findings.add(
                    Diagnostic(
                        code="VL511",
                        message="nothing is held out to select the best checkpoint on",
                        span=self._value(*path),
                        severity="warning",
                        label="the last weights count as the best",
                        help=("hold a share out, such as `5%`",),
                    )
                )

    def selection(self, job: Finetune) -> None:
        """What selects the best checkpoint is a metric of the task."""
        task, known = job.task, job.task.selectable()
        if job.selects_by in known:
            return
        notes = [f"it can be selected by {listing(known)}"]
        if task.searches:
            notes.append(
                f"{listing(task.reported, most=2)} take every image with every text, which only "
                "an `evaluate` scores: too much for each validation"
            )
        elif job.selects_by in task.reported:
            notes.append(f"only an `evaluate` measures `{job.selects_by}`")
        self._findings.add(
            Diagnostic(
                code="VL525",
                message=f"task `{task.word()}` has no metric `{job.select}`"
                if job.selects_by not in task.reported
                else f"`{job.select}` is not measured while task `{task.word()}` is learned",
                span=self._value("select"),
                label="cannot select the best checkpoint",
                help=suggestion(job.selects_by, known, "a metric"),
                notes=tuple(notes),
            )
        )

    def objectives(self, job: Pretrain) -> None:
        """One objective of each kind, and pairs to draw from."""
        seen: dict[str, Span] = {}
        for index, objective in enumerate(job.objectives):
            word = objective.word()
            span = self._places.key((*self._path, "objectives", index)) or self._value()
            if word in seen:
                self._findings.add(
                    Diagnostic(
                        code="VL509",
                        message=f"objective `{word}` is stated twice",
                        span=span,
                        label="stated again",
                        related=(Label(span=seen[word], text="first stated here"),),
                        help=("leave one of them out",),
                    )
                )
            seen.setdefault(word, span)
            for remark in objective.remarks(job.batch):
                self._remark(remark, ("objectives", index), span)

    def _remark(self, remark: Remark, where: tuple[str | int, ...], whole: Span) -> None:
        """Report what a kind says about its own keys."""
        own = None if remark.key is None else self._places.value((*self._path, *where, remark.key))
        self._findings.add(
            Diagnostic(
                code=remark.code,
                message=remark.message,
                span=own or whole,
                severity=remark.severity,
                label=remark.label,
                help=remark.help,
                related=tuple(
                    Label(span=self._value(key), text=text) for key, text in remark.related
                ),
            )
        )


def _no_effect(span: Span, message: str, reason: str) -> Diagnostic:
    return Diagnostic(code="VL506", message=message, span=span, severity="warning", label=reason)
