"""From the block of a study to its cells: each a whole spec, checked like a file of its own."""

from collections.abc import Mapping
from itertools import permutations, product

from renaissance.grammar import tree
from renaissance.grammar.chain import chain_of, sources_first
from renaissance.grammar.composition.experiment import resolve_scope
from renaissance.grammar.composition.reader import Reader
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.composition.study_drafts import (
    FactorDraft,
    StudyDraft,
    draft_study,
    known_level,
)
from renaissance.grammar.composition.study_isolation import (
    Overrides,
    check_decided,
    check_factors,
    check_same,
    check_steps,
    keys_of_levels,
)
from renaissance.grammar.composition.study_levels import LevelReader
from renaissance.grammar.composition.study_mistakes import (
    no_cells,
    one_level_each,
    other_order,
    seed_twice,
    unknown,
)
from renaissance.grammar.composition.study_report import check_report
from renaissance.grammar.findings import Findings
from renaissance.grammar.places import Places
from renaissance.grammar.record import replace
from renaissance.grammar.schema.jobs import Evaluate, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.study import StudyKeys
from renaissance.grammar.source import Span
from renaissance.grammar.study import Cell, Factor, Study

_MOST_ORDERED = 6
_MOST_VARIANTS = 500

Levels = dict[str, str]
"""A level of each factor, by its name."""


def read_study(
    declaration: tree.Declaration,
    scope: Scope,
    spec: Spec | None,
    findings: Findings,
    places: Places,
) -> Study | None:
    """Return a study with all its cells, or None if something is wrong.

    Args:
        declaration: its block.
        scope: what the file declares; told which names the cells use.
        spec: what the file means without studies; None if there are errors.
        findings: receives what is wrong, of all cells each mistake once.
        places: receives where each key of the study was said.
    """
    draft = draft_study(declaration, scope, findings)
    path = ("studies", draft.name.text)
    keys = Reader(scope=scope, findings=findings, places=places).block(
        StudyKeys,
        draft.keys,
        path,
        where=draft.name.span,
        what="`study`",
        broken=draft.broken,
    )
    if not isinstance(keys, StudyKeys) or spec is None:
        return None
    return _Composition(draft, keys, scope, spec, findings, places).study()


class _Composition:
    """One study on its way to cells."""

    def __init__(
        self,
        draft: StudyDraft,
        keys: StudyKeys,
        scope: Scope,
        spec: Spec,
        findings: Findings,
        places: Places,
    ) -> None:
        self._draft = draft
        self._keys = keys
        self._scope = scope
        self._spec = spec
        self._findings = findings
        self._places = places

    def study(self) -> Study | None:
        before = self._errors()
        self._check_seeds()
        jobs = self._jobs()
        if not jobs:
            return None
        roots = tuple(
            name
            for name in jobs
            if not isinstance(job := self._spec.jobs[name], Evaluate) and job.source is None
        )
        stated = {name: self._stated(factor, roots) for name, factor in self._factors.items()}
        if self._errors() > before:
            return None
        mixed = Findings()
        check_factors(self._factors, stated, mixed)
        if mixed.has_errors() and self._wrong_levels(roots):
            # What a level means is not known, so neither is what came along.
            return None
        self._findings.extend(mixed.ordered())
        check_decided(stated, self._keys, jobs, self._key_places(), self._findings)
        variants = self._variants()
        baseline = self._baseline(variants)
        if baseline is None or self._errors() > before:
            return None
        specs = [(levels, self._cell(levels, roots)) for levels in variants]
        found = [(levels, spec) for levels, spec in specs if spec is not None]
        if len(found) < len(specs):
            return None
        check_same(self._factors, found, self._findings)
        report = ((name, self._place("report", at)) for at, name in enumerate(self._keys.report))
        check_report(report, (spec for _, spec in found), self._findings)
        self._check_steps(found, baseline)
        return Study(
            name=self._draft.name.text,
            of=self._keys.of,
            jobs=jobs,
            factors=tuple(self._factor(name, stated[name]) for name in self._factors),
            cells=tuple(
                Cell(levels=levels, seed=seed, spec=_seeded(spec, seed))
                for seed in self._keys.seeds
                for levels, spec in found
            ),
            baseline=baseline,
            seeds=self._keys.seeds,
            budget=self._keys.budget,
            report=self._keys.report,
        )

    @property
    def _factors(self) -> Mapping[str, FactorDraft]:
        return self._draft.factors

    def _errors(self) -> int:
        return sum(found.severity == "error" for found in self._findings.ordered())

    def _place(self, *key: str | int) -> Span:
        span = self._places.value(("studies", self._draft.name.text, *key))
        return span or self._draft.name.span

    def _key_places(self) -> dict[str, Span]:
        return {key: self._place(key) for key in StudyKeys.model_fields}

    def _jobs(self) -> tuple[str, ...]:
        """Return the jobs that cells run, sources first; none if one is not there."""
        jobs = self._spec.jobs
        missing = [name for name in self._keys.of if name not in jobs]
        for name in missing:
            span = self._place("of", self._keys.of.index(name))
            self._findings.add(unknown("job", name, span, tuple(jobs)))
        if missing:
            return ()
        return _run(self._spec, self._keys.of)

    def _check_seeds(self) -> None:
        seeds = self._keys.seeds
        for at, seed in enumerate(seeds):
            if seed in seeds[:at]:
                first, second = self._place("seeds", seeds.index(seed)), self._place("seeds", at)
                self._findings.add(seed_twice(seed, first, second))

    def _stated(self, factor: FactorDraft, roots: tuple[str, ...]) -> Overrides:
        return {
            name: LevelReader(self._scope.copy(), roots, self._findings).apply(level)
            for name, level in factor.levels.items()
        }

    def _wrong_levels(self, roots: tuple[str, ...]) -> bool:
        """Report what is wrong with levels, each alone; tell whether something is."""
        before = self._errors()
        for name, factor in self._factors.items():
            for level in factor.levels:
                self._cell({name: level}, roots)
        return self._errors() > before

    def _factor(self, name: str, stated: Overrides) -> Factor:
        addresses = (
            override.spelled if address == override.address else address
            for keys in keys_of_levels(stated).values()
            for address, override in keys.items()
        )
        return Factor(
            name=name,
            levels=tuple(self._factors[name].levels),
            changes=tuple(dict.fromkeys(addresses)),
        )

    def _variants(self) -> list[Levels]:
        """Return the levels of all cells that are not taken out, the last factor fastest."""
        names = tuple(self._factors)
        count = 1
        for factor in self._factors.values():
            count *= len(factor.levels)
        if count > _MOST_VARIANTS:
            message = f"study `{self._draft.name.text}` has {count:,} variants"
            finding = no_cells(self._draft.name.span, message, f"at most {_MOST_VARIANTS}")
            self._findings.add(finding)
            return []
        grid = product(*(factor.levels for factor in self._factors.values()))
        variants = [dict(zip(names, levels, strict=True)) for levels in grid]
        for chosen in self._draft.filters:
            keep = chosen.word.text == "only"
            left = [levels for levels in variants if chosen.matches(levels) == keep]
            if variants and len(left) in (0, len(variants)):
                message = f"`{chosen.word.text}` leaves {'no' if not left else 'every'} variant"
                label = "nothing is left" if not left else "has no effect"
                help = "name fewer levels" if not left else "leave it out"
                self._findings.add(no_cells(chosen.word.span, message, label, help=help))
            variants = left
        return variants

    def _in_order(self, named: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return levels in the order of factors that they are no levels of in their own order."""
        factors = list(self._factors.values())
        if len(named) > _MOST_ORDERED or all(
            level in factor.levels for level, factor in zip(named, factors, strict=True)
        ):
            return None
        for order in permutations(named):
            if all(level in factor.levels for level, factor in zip(order, factors, strict=True)):
                return order
        return None

    def _baseline(self, variants: list[Levels]) -> Levels | None:
        """Return the levels of the baseline; None if it is no variant."""
        named, factors = self._keys.baseline, self._factors
        if not named:
            levels = {name: next(iter(factor.levels), "") for name, factor in factors.items()}
        elif len(named) != len(factors):
            levels_of = {name: factor.levels for name, factor in factors.items()}
            self._findings.add(one_level_each(self._place("baseline"), levels_of))
            return None
        else:
            if ordered := self._in_order(named):
                self._findings.add(other_order(self._place("baseline"), ordered))
                return None
            levels = dict(zip(factors, named, strict=True))
            known = [
                known_level(level, self._place("baseline", index), factor, self._findings)
                for index, (level, factor) in enumerate(zip(named, factors.values(), strict=True))
            ]
            if not all(known):
                return None
        if levels in variants:
            return levels
        if variants:
            message = f"the baseline of study `{self._draft.name.text}` is taken out"
            label = "no variant has these levels"
            shown = ", ".join(f"{name} = {level}" for name, level in levels.items())
            span = self._place("baseline")
            left = ", ".join(variants[0].values())
            help = f"name levels that are left, such as `baseline = [{left}]`"
            note = f"the baseline is {shown}"
            self._findings.add(no_cells(span, message, label, note, help=help))
        return None

    def _cell(self, levels: Levels, roots: tuple[str, ...]) -> Spec | None:
        """Return the whole spec of a variant; what is wrong only there says where."""
        scope, found = self._scope.copy(), Findings()
        for name, level in levels.items():
            LevelReader(scope, roots, Findings()).apply(self._factors[name].levels[level])
        spec = resolve_scope(scope, found, Places())
        self._scope.uses(scope)
        variant = ", ".join(f"{name} = {level}" for name, level in levels.items())
        self._findings.extend(
            replace(finding, notes=(*finding.notes, f"found in the variant {variant}"))
            for finding in found.ordered()
        )
        return None if spec is None else _only(spec, _run(spec, self._keys.of))

    def _check_steps(self, specs: list[tuple[Levels, Spec]], baseline: Levels) -> None:
        if self._keys.budget != "steps":
            return
        reference = next(spec for levels, spec in specs if levels == baseline)
        for levels, spec in specs:
            variant = "/".join(f"{name}={level}" for name, level in levels.items())
            check_steps(reference, variant, spec, self._place("budget"), self._findings)


def _run(spec: Spec, of: tuple[str, ...]) -> tuple[str, ...]:
    """Return jobs with those that they start from and their evaluations, sources first."""
    jobs = spec.jobs
    wanted = {step for name in of for step in chain_of(jobs, name)}
    wanted |= {n for n, job in jobs.items() if isinstance(job, Evaluate) and job.of in of}
    return sources_first(jobs, [name for name in jobs if name in wanted])


def _only(spec: Spec, jobs: tuple[str, ...]) -> Spec:
    """Return a spec with some jobs, and with those that their data leave images of out for."""
    wanted = set(jobs)
    data = {
        name
        for job in (spec.jobs[name] for name in jobs)
        if isinstance(job, Pretrain)
        for name in job.data
    }
    for name in data:
        for said in spec.data[name].exclude:
            wanted |= set(chain_of(spec.jobs, said.partition(".")[0]))
    ordered = sources_first(spec.jobs, [name for name in spec.jobs if name in wanted])
    kept = {name: spec.jobs[name] for name in ordered}
    models = {spec.training_job(name).on for name in kept}
    used = {name for job in kept.values() if isinstance(job, Pretrain) for name in job.data}
    return spec.model_copy(
        update={
            "jobs": kept,
            "models": {name: model for name, model in spec.models.items() if name in models},
            "data": {name: block for name, block in spec.data.items() if name in used},
            "job_models": {n: model for n, model in spec.job_models.items() if n in kept},
        }
    )


def _seeded(spec: Spec, seed: int) -> Spec:
    """Return a spec whose jobs all have a seed."""
    jobs = {
        name: job if isinstance(job, Evaluate) else job.model_copy(update={"seed": seed})
        for name, job in spec.jobs.items()
    }
    return spec.model_copy(update={"jobs": jobs})
