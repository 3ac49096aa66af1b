"""Does a study say what made a difference? Its factors vary one thing each, and each its own."""

from collections.abc import Mapping
from itertools import combinations

from renaissance.grammar.composition.study_drafts import FactorDraft
from renaissance.grammar.composition.study_levels import Override
from renaissance.grammar.composition.study_mistakes import (
    came_along,
    decided_by_study,
    other_job,
    same_levels,
    set_by_two,
    unequal_steps,
)
from renaissance.grammar.findings import Findings
from renaissance.grammar.schema.jobs import Evaluate, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.study import StudyKeys
from renaissance.grammar.source import Span

Overrides = Mapping[str, tuple[Override, ...]]
"""What each level of a factor states."""


def check_factors(
    factors: Mapping[str, FactorDraft], stated: Mapping[str, Overrides], findings: Findings
) -> None:
    """Report levels that differ in more than their factor says, and keys that two factors set."""
    for name, factor in factors.items():
        _check_levels(name, factor, stated[name], findings)
    for first, second in combinations(factors, 2):
        found = _common(stated[first], stated[second])
        if found is not None:
            findings.add(set_by_two(first, second, *found))


def keys_of_levels(levels: Overrides) -> dict[str, dict[str, Override]]:
    """Return by level and address what each level states.

    Blocks of a kind count key by key where every level that states one states the same kind, and
    as a whole where not.
    """
    words: dict[str, set[str]] = {}
    for overrides in levels.values():
        for override in overrides:
            words.setdefault(override.outside, set()).add(override.word)
    found: dict[str, dict[str, Override]] = {}
    for level, overrides in levels.items():
        found[level] = {}
        for override in overrides:
            whole = len(words[override.outside]) > 1
            address = override.outside if whole else override.address
            found[level].setdefault(address, override)
    return found


def _check_levels(name: str, factor: FactorDraft, levels: Overrides, findings: Findings) -> None:
    keys = keys_of_levels(levels)
    reported: set[str] = set()
    for level, other in combinations(keys, 2):
        if keys[level].keys() - keys[other].keys() and keys[other].keys() - keys[level].keys():
            # They state different things: said once, at the later one.
            reported.update(keys[level].keys() - keys[other].keys())
        for one, two in ((level, other), (other, level)):
            for address, override in keys[one].items():
                if address not in keys[two] and address not in reported:
                    reported.add(address)
                    words = (factor.levels[one].keyword, factor.levels[two].keyword)
                    findings.add(came_along(name, *words, override))


def _common(first: Overrides, second: Overrides) -> tuple[Override, Override] | None:
    """Return a key that levels of two factors state, or of which one contains the other."""
    for one in (override for overrides in first.values() for override in overrides):
        for other in (override for overrides in second.values() for override in overrides):
            near, far = sorted((one.address, other.address), key=len)
            if (one.what, one.name) == (other.what, other.name) and (
                near == far or far.startswith(f"{near}.")
            ):
                return one, other
    return None


def check_decided(
    stated: Mapping[str, Overrides],
    keys: StudyKeys,
    jobs: tuple[str, ...],
    places: Mapping[str, Span],
    findings: Findings,
) -> None:
    """Report levels that set what the study decides, or what no job of it uses.

    Args:
        stated: what levels state, by factor.
        keys: of the study.
        jobs: that it runs.
        places: of its keys; of the study where it does not state one.
        findings: receives what is wrong.
    """
    for override in (o for levels in stated.values() for found in levels.values() for o in found):
        if override.what == "job" and override.name not in jobs:
            findings.add(other_job(override, jobs, places["of"]))
        elif override.what == "job" and override.key == "seed":
            findings.add(decided_by_study("seed", "seeds", override.place, places["seeds"]))
        elif override.what == "job" and override.key in ("steps", "epochs") and keys.budget:
            findings.add(decided_by_study(override.key, "budget", override.place, places["budget"]))


def check_same(
    factors: Mapping[str, FactorDraft], specs: list[tuple[dict[str, str], Spec]], findings: Findings
) -> None:
    """Report levels between which nothing differs, all else being equal."""
    for (levels, spec), (others, other) in combinations(specs, 2):
        differing = [name for name in levels if levels[name] != others[name]]
        if len(differing) == 1 and spec.hash == other.hash:
            [name] = differing
            named = factors[name].levels
            one, two = named[levels[name]].keyword, named[others[name]].keyword
            findings.add(same_levels(name, one, two))


def check_steps(baseline: Spec, variant: str, spec: Spec, budget: Span, findings: Findings) -> None:
    """Report jobs that take other steps than those of the baseline."""
    for name, job in spec.jobs.items():
        if isinstance(job, Evaluate) or name not in baseline.jobs:
            continue
        if _length(baseline, name) != _length(spec, name):
            findings.add(unequal_steps(name, variant, budget, budget))


def _length(spec: Spec, name: str) -> object:
    """Return what the number of steps of a job follows from."""
    job = spec.jobs[name]
    assert not isinstance(job, Evaluate)
    if job.steps is not None:
        return job.steps
    identity = spec.job_identity(name)
    learned = identity["data"] if isinstance(job, Pretrain) else identity["task"]
    return (job.epochs, job.batch, job.texts_per_image, learned)
