"""What a person reads of a run on a GPU: a few lines a part."""

from collections.abc import Callable, Iterable
from typing import Any

Values = dict[str, Any]


def table(lines: list[Values]) -> str:
    """Return the results of a run as text, part by part in the order in which they came."""
    parts = list(dict.fromkeys(line["part"] for line in lines))
    blocks = []
    for part in parts:
        own = [line for line in lines if line["part"] == part]
        write = WRITERS.get(part, _plainly)
        rows = [*write([line for line in own if line["item"] != "end" and "reason" not in line])]
        reasons = [line for line in own if "reason" in line]
        rows += [f"  {_named(line)}: {line['reason']}" for line in _first_of_each(reasons)]
        blocks.append("\n".join([part, *(rows or ["  nothing"])]))
    return "\n\n".join(blocks)


def _named(line: Values) -> str:
    contender = line.get("contender")
    return f"{line['item']}, {contender}" if contender else str(line["item"])


def _first_of_each(reasons: list[Values]) -> list[Values]:
    """Return one line for each contender and reason, and all where there is no contender."""
    seen: dict[tuple[object, ...], Values] = {}
    for line in reasons:
        contender = line.get("contender")
        seen.setdefault((contender or line["item"], line["reason"]), line)
    return list(seen.values())


def _number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _plainly(lines: list[Values]) -> Iterable[str]:
    """Write values as they are; long lists and tables of other tables only by their length."""
    hidden = ("part", "item", "took", "share")
    for line in lines:
        words = []
        for name, value in line.items():
            if name in hidden:
                continue
            if isinstance(value, list) and len(str(value)) > 120:
                words.append(f"{name}: {len(value)}")
            elif isinstance(value, dict):
                words.append(f"{name}: " + ", ".join(f"{k} {_number(v)}" for k, v in value.items()))
            else:
                words.append(f"{name} {_number(value)}")
        yield f"  {line['item']}: {', '.join(words)}"


def _numerics(lines: list[Values]) -> Iterable[str]:
    """Write the largest error of each type, and every problem that is not right."""
    judged = [line for line in lines if "right" in line]
    right = sum(line["right"] for line in judged)
    yield f"  {right} of {len(judged)} right"
    for dtype in ("float32", "float16", "bfloat16"):
        errors = [line["largest"] for line in judged if dtype in line["item"].split(", ")]
        if errors:
            yield f"  {dtype}: largest error of a norm {max(errors):.2e}"
    for line in judged:
        if not line["right"]:
            same = "" if line["same_bits"] else ", other bits each time"
            accepted = line["accepted"]
            yield f"  WRONG {line['item']}: {line['largest']:.2e} > {accepted:.2e}{same}"


def _tests(lines: list[Values]) -> Iterable[str]:
    for line in lines:
        if line["item"] == "all":
            yield from _plainly([line])
        else:
            yield f"  {line['outcome']} {line['item']}"


def _attention(lines: list[Values]) -> Iterable[str]:
    """Write a line a problem: the times of all contenders on the device, then how ours compares."""
    items = dict.fromkeys(line["item"] for line in lines)
    for item in items:
        own = [line for line in lines if line["item"] == item]
        timed = [line for line in own if "milliseconds" in line]
        if not timed:
            yield from _plainly(own)
            continue
        yield f"  {item}"
        ratios = {line["contender"]: line for line in own if "ratio" in line}
        for line in timed:
            ratio = ratios.get(line["contender"])
            against = f", {ratio['ratio']:.2f} x best other" if ratio else ""
            eager = f", {ratio['eager ratio']:.2f} x eager" if ratio else ""
            graph = ", no graph" if "no graph" in line else ""
            yield (
                f"    {line['contender']:44} {line['milliseconds']:9.4f} ms, eager "
                f"{line['eager milliseconds']:9.4f} ms, {line['tflops']:7.2f} TFLOP/s"
                f"{against}{eager}{graph}"
            )


def _steps(lines: list[Values]) -> Iterable[str]:
    for line in lines:
        words = [
            f"{1e3 * line['seconds']:.1f} ms",
            f"{line['texts_per_second']:,.1f} texts/s",
            f"slowest {1e3 * line['slowest']:.1f} ms",
        ]
        if line["tflop"] is not None:
            words.append(f"{line['tflop']:.3g} TFLOP")
        if line["utilisation"] is not None:
            words.append(f"{line['utilisation']:.1%} of peak")
        if line["peak_gib"] is not None:
            words.append(f"{line['peak_gib']:.1f} GiB")
        if line["planned_gib"] is not None:
            words.append(f"planned {line['planned_gib']:.1f} GiB")
        words.append(f"first after {line['first_seconds']:.1f} s")
        yield f"  {line['item']}: {', '.join(words)}"


WRITERS: dict[str, Callable[[list[Values]], Iterable[str]]] = {
    "numerics": _numerics,
    "tests": _tests,
    "attention": _attention,
    "steps": _steps,
}
