"""Which study, which of its cells and which steps a person means."""

from collections.abc import Iterable, Mapping, Sequence

from renaissance.execution import meant
from renaissance.grammar.loading import load_studies
from renaissance.grammar.names import listing
from renaissance.grammar.source import SourceError
from renaissance.grammar.study import Cell, Study


def study_meant(
    argument: str, settings: Mapping[str, str], seeds: Sequence[int] | None = None
) -> Study:
    """Return the study that `FILE` or `FILE:STUDY` means.

    Args:
        argument: of the command line.
        settings: values by address.
        seeds: that it runs in place of its own.

    Raises:
        SourceError: if there is none, or several and none is named, or its seeds are set as well.
        SpecError: if the file has errors.
    """
    path, name = meant(argument)
    studies = load_studies(path, settings)
    if name is None and len(studies) == 1:
        [name] = studies
    if name is None or name not in studies:
        there = f"studies are {listing(studies)}" if studies else "it has none"
        wanted = f"there is no study `{name}` in" if name else "say which study of"
        raise SourceError(f"{wanted} `{path}`: {there}")
    if seeds:
        if f"{name}.seeds" in settings:
            raise SourceError(f"the seeds are given twice: by --seeds and by --set {name}.seeds")
        spelled = f"[{', '.join(map(str, seeds))}]"
        studies = load_studies(path, {**settings, f"{name}.seeds": spelled})
    return studies[name]


def seeds_of(text: str | None) -> tuple[int, ...] | None:
    """Return the seeds of `--seeds 0,1,2`.

    Raises:
        SourceError: if they are no numbers.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise SourceError(f"--seeds takes numbers such as 0,1,2, and not {text}")
    return tuple(dict.fromkeys(map(int, parts)))


def chosen(study: Study, only: Iterable[str]) -> tuple[Cell, ...]:
    """Return the cells that `--only` lets through: levels of one factor are alternatives.

    Args:
        study: whose cells.
        only: such as `freeze=vision` and `seed=0`; all cells if empty.

    Raises:
        SourceError: if there is no such factor or level, or no cell is left.
    """
    levels = {factor.name: factor.levels for factor in study.factors}
    levels["seed"] = tuple(map(str, study.seeds))
    wanted: dict[str, set[str]] = {}
    for text in (part for each in only for part in each.split(",")):
        factor, _, level = (part.strip() for part in text.partition("="))
        if factor not in levels:
            raise SourceError(
                f"--only {text} names no factor of study `{study.name}`: there is {listing(levels)}"
            )
        if level not in levels[factor]:
            raise SourceError(f"--only {text}: `{factor}` is one of {listing(levels[factor])}")
        wanted.setdefault(factor, set()).add(level)
    cells = tuple(
        cell
        for cell in study.cells
        if all({**cell.levels, "seed": str(cell.seed)}[f] in them for f, them in wanted.items())
    )
    if not cells:
        raise SourceError(f"study `{study.name}` has no cell with {' and '.join(only)}")
    return cells
