"""How the time of reading a file grows with its length, for texts made to be hard to read.

    python -m benchmarks.parsing [--pieces 8000] [--rounds 5]

Each text is read once as it is and once with eight times as many pieces; the ratio is the median
over the rounds. Reading in proportion to the length gives about 8, a quadratic step 64.
"""

import argparse
import statistics
import time

from renaissance.grammar.source import Source
from renaissance.grammar.syntax.parser import parse

HOSTILE = (
    ("a = [a", "\n", "]"),
    ("= ", "a.", ""),
    ('a = "', " ", "x"),
    ('a = "', "\\q", '"'),
    ("", "1_", "x"),
    ("model m {", "x {},", "}"),
    ("", "{}", ""),
    ("a = [= ", "1,\n", ""),
)
"""What stands in front, what is repeated, what stands behind."""
GROWTH = 8


def seconds(text: str) -> float:
    """Return the time of reading a text."""
    source = Source(name="hostile.vl", text=text)
    start = time.perf_counter()
    parse(source)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pieces", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for before, piece, after in HOSTILE:
        short = before + piece * options.pieces + after
        long = before + piece * options.pieces * GROWTH + after
        times = [(seconds(short), seconds(long)) for _ in range(options.rounds)]
        median = statistics.median(pair[1] for pair in times)
        ratio = statistics.median(pair[1] / pair[0] for pair in times)
        print(f"{before + piece!r:>16} … {median * 1000:6.0f} ms, ratio {ratio:4.1f}")


if __name__ == "__main__":
    main()
