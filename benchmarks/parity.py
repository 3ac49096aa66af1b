"""Does this version compute what an earlier one computed?

    python -m benchmarks.parity --against REVISION [--only NAME ...]

Both versions train small experiments, each in a process of its own. Equal must be: on the first
steps of the quickstart the images, texts, masks and pairs that go into the model and the labels of
its losses; without dropout all losses and metrics of pretraining, fine-tuning and evaluation,
within 1e-6; and what follows after a checkpoint of the earlier version that this one takes up,
within 1e-5 for five steps, unless it is refused in a sentence that names the version. Prints a line
for each difference, and exits with 1 if there is one.
"""

import argparse
import json
import math
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.parity_cases import STOP, Case, cases, write_data
from benchmarks.revisions import ROOT, process, tree_of

Answer = Mapping[str, Any]
"""What `sides/trajectory.py` writes about a case."""
AFTER = 5
"""Steps after a checkpoint that are compared."""
AFTER_TOLERANCE = 1e-5


def main(arguments: list[str] | None = None) -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", metavar="REVISION", required=True)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="names of cases")
    options = parser.parse_args(arguments)
    with tree_of(options.against) as other, tempfile.TemporaryDirectory(prefix="parity-") as name:
        folder = Path(name)
        chosen = [case for case in cases(folder) if not options.only or case.name in options.only]
        if not chosen:
            sys.exit("cases are " + ", ".join(f"`{case.name}`" for case in cases(folder)))
        write_data(folder)
        differences = [found for case in compare(other, chosen, folder) for found in case]
    if not differences:
        print(f"{len(chosen)} experiments: no difference")
    return int(bool(differences))


def compare(other: Path, chosen: Sequence[Case], folder: Path) -> Iterator[list[str]]:
    """Run all cases with both versions; yield and print the differences of each."""
    theirs = answers(other, [earlier(case, folder) for case in chosen], folder / "earlier")
    later = [asked for case in chosen for asked in (now(case, folder), taken_up(case, folder))]
    ours = answers(ROOT, [asked for asked in later if asked is not None], folder / "now")
    for case in chosen:
        before, straight = next(theirs), next(ours)
        found = list(differing(case, before, straight))
        if case.go_on and not found:
            found += after_checkpoint(before, next(ours))
        elif case.go_on:
            next(ours)
        for line in found:
            print(f"{case.name}: {line}", flush=True)
        yield found


def earlier(case: Case, folder: Path) -> dict[str, Any]:
    """Return what the earlier version is to do: stop, leave a copy, and go on."""
    return {
        "spec": spec_of(case, folder),
        "folder": str(folder / "earlier" / case.name),
        "stop": case.stop,
        "copy": str(folder / "copies" / case.name) if case.go_on else None,
        "go_on": case.go_on,
        "watch": case.watch,
    }


def now(case: Case, folder: Path) -> dict[str, Any]:
    """Return what this version is to do: the same in one piece."""
    return earlier(case, folder) | {
        "folder": str(folder / "now" / case.name),
        "stop": None if case.go_on else case.stop,
        "copy": None,
        "go_on": False,
    }


def taken_up(case: Case, folder: Path) -> dict[str, Any] | None:
    """Return what this version is to go on with, if anything."""
    if not case.go_on:
        return None
    return now(case, folder) | {"folder": str(folder / "copies" / case.name)}


def spec_of(case: Case, folder: Path) -> str:
    """Write the spec of a case if it is not there, and return its path."""
    path = folder / f"{case.name}.vl"
    path.write_text(case.text, encoding="utf-8")
    return str(path)


def answers(tree: Path, asked: list[dict[str, Any]], folder: Path) -> Iterator[Answer]:
    """Let a version do what is asked in one process; yield its answers.

    Raises:
        SystemExit: if the process ends without them.
    """
    folder.mkdir()
    (folder / "cases.json").write_text(json.dumps(asked), encoding="utf-8")
    results = folder / "results.jsonl"
    arguments = (folder / "cases.json", results)
    with process(tree, "trajectory.py", *arguments, cache=folder / "cache") as started:
        started.wait()
    lines = results.read_text("utf-8").splitlines() if results.exists() else []
    if len(lines) != len(asked):
        sys.exit(f"{tree}: ended after {len(lines)} of {len(asked)} runs")
    yield from map(json.loads, lines)


def differing(case: Case, before: Answer, after: Answer) -> Iterator[str]:
    """Yield what a case differs in, a line each."""
    for side, answer in (("the earlier version", before), ("this version", after)):
        if "failed" in answer:
            yield f"{side} fails: {answer['failed']}"
            return
        if case.go_on and answer["ended"]:
            yield f"{side} ends: {answer['ended']}"
            return
        if not any(numbers(answer).values()):
            yield f"{side} has trained nothing"
            return
    yield from differing_inputs(before["steps"], after["steps"])
    yield from differing_numbers(numbers(before), numbers(after), case.tolerance)


def differing_inputs(
    before: Sequence[Mapping[str, list[Any]]], after: Sequence[Mapping[str, list[Any]]]
) -> Iterator[str]:
    """Yield the first step in which each kind of what goes into the model differs."""
    if len(before) != len(after):
        yield f"{len(before)} steps were watched before, {len(after)} now"
    told: set[str] = set()
    for number, (one, other) in enumerate(zip(before, after, strict=False), start=1):
        for name in sorted({*one, *other} - told):
            theirs, ours = one.get(name, []), other.get(name, [])
            if not theirs or any("unknown" in str(item) for item in (*theirs, *ours)):
                yield f"step {number}: {name} cannot be followed into the model"
            elif theirs != ours:
                gone, new = len(set(theirs) - set(ours)), len(set(ours) - set(theirs))
                yield (
                    f"step {number}: other {name}: {len(theirs)} before, {len(ours)} now, "
                    f"{gone} of them gone and {new} new"
                )
            else:
                continue
            told.add(name)


Numbers = dict[tuple[str, str, int], dict[str, float]]
"""Losses and metrics by job, kind of line in the log, and step."""


def numbers(answer: Answer) -> Numbers:
    """Return all losses and metrics of a run."""
    found: Numbers = {}
    for job, lines in answer["logs"].items():
        for line in lines:
            if line["event"] in ("step", "validate"):
                values = line.get("losses", {}) | line.get("metrics", {})
                total = {"loss": line["loss"]} if "loss" in line else {}
                found[job, line["event"], line["step"]] = total | values
    for job, (result,) in answer["results"].items():
        found[job, "result", 0] = result["metrics"]
    return found


def differing_numbers(before: Numbers, after: Numbers, tolerance: float) -> Iterator[str]:
    """Yield the first difference of each job, and the largest after it."""
    for job in dict.fromkeys(place[0] for place in (*before, *after)):
        places = [place for place in dict.fromkeys((*before, *after)) if place[0] == job]
        far = [
            (place, apart(before.get(place, {}), after.get(place, {})))
            for place in places
            if apart(before.get(place, {}), after.get(place, {})) > tolerance
        ]
        if far:
            (_, kind, step), first = far[0]
            where = "in its result" if kind == "result" else f"at step {step} ({kind})"
            largest = max(distance for _, distance in far)
            yield f"`{job}` differs by {first:.1e} {where}, at most by {largest:.1e}"


def apart(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Return the largest difference of two sets of numbers; infinity if they are not the same."""
    if one.keys() != other.keys():
        return math.inf
    pairs = [(float(one[name]), float(other[name])) for name in one]
    found = max((abs(a - b) for a, b in pairs if a != b), default=0.0)
    return math.inf if math.isnan(found) else found


def after_checkpoint(before: Answer, after: Answer) -> Iterator[str]:
    """Yield what differs after a checkpoint of the earlier version, or why it is not taken up."""
    if "failed" in after:
        yield f"taking up the checkpoint fails: {after['failed']}"
        return
    if after["ended"]:
        refused = "version" in after["ended"] and re.search(r"\d+\.\d+", after["ended"])
        if not refused:
            yield f"the checkpoint is refused without naming the version: {after['ended']}"
        return
    job = next(iter(dict.fromkeys(place[0] for place in numbers(before))))
    started = [line["step"] for line in after["logs"][job] if line["event"] == "start"]
    if started[-1] != STOP:
        yield f"the checkpoint of step {STOP} is not taken up: `{job}` began at {started[-1]}"
        return
    steps = range(STOP + 1, STOP + 1 + AFTER)
    theirs, ours = (
        {place: found for place, found in numbers(answer).items() if place[2] in steps}
        for answer in (before, after)
    )
    theirs, ours = (
        {place: found for place, found in side.items() if place[:2] == (job, "step")}
        for side in (theirs, ours)
    )
    for line in differing_numbers(theirs, ours, AFTER_TOLERANCE):
        yield f"after the checkpoint {line}"


if __name__ == "__main__":
    sys.exit(main())
