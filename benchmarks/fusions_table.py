"""The measured tables of docs/fusions.md, from what `benchmarks.fusions --json` wrote.

    python -m benchmarks.fusions_table [PAGE]

Each takes the place of what stands between two comments, which name a file of `results`:
`<!-- measured: NAME -->` and `<!-- /measured -->`.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent.parent / "docs" / "fusions.md"
PLACE = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- /measured -->\n)", re.DOTALL)
HEAD = (
    "| fusion | frozen | parameters, of the fusion | GFLOP a text, of the fusion | seconds a step |"
    " times the products | plain, seconds | times as fast | peak, GB (planned) |\n"
    "|---|---|---|---|---|---|---|---|---|\n"
)


def row(cost: dict[str, Any]) -> str:
    """Return a line of the table."""
    plain = cost["plain_seconds"]
    cells = (
        f"`{cost['fusion']}`",
        "towers" if cost["freeze"] == "both" else cost["freeze"],
        f"{cost['parameters'] / 1e6:.1f}M, {cost['fusion_parameters'] / 1e6:.1f}M",
        f"{cost['operations'] / 1e9:.1f}, {cost['fusion_operations'] / 1e9:.1f}",
        f"{cost['seconds']:.2f}",
        f"{cost['over_floor']:.2f}",
        "" if plain is None else f"{plain:.2f}",
        "" if plain is None else f"{cost['gain']:.2f}",
        f"{cost['memory'] / 1e9:.2f} ({cost['predicted'] / 1e9:.2f})",
    )
    return "| " + " | ".join(cells) + " |\n"


def measured(results: dict[str, Any]) -> str:
    """Return the table and a line on what it was measured on."""
    about = results["about"]
    said = (
        f"{about['size']}; batch {about['batch']}, {about['threads']} threads, {about['device']}, "
        f"torch {about['torch']}, transformers {about['transformers']}, {about['date']}"
    )
    note = f". {about['note']}" if "note" in about else "."
    return HEAD + "".join(row(cost) for cost in results["rows"]) + f"\n{said}{note}\n"


def filled(page: str) -> str:
    """Return a page with each table made anew."""

    def table(place: re.Match[str]) -> str:
        results = json.loads((RESULTS / f"{place[2]}.json").read_text())
        return place[1] + measured(results) + place[3]

    return PLACE.sub(table, page)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", nargs="?", type=Path, default=PAGE)
    page = parser.parse_args().page
    page.write_text(filled(page.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
