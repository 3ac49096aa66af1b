"""The page on differences names keys and words that the language has."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
SPELLED = re.compile(r"`([a-z_]+)(?: = [^`]*)?`|`([a-z_0-9]+)`")
OF_OTHERS = {"pixel_mask", "check", "renaissance"}
"""What transformers calls its masks, and verbs."""


def test_keys_of_the_last_column_are_in_the_reference() -> None:
    page = (DOCS / "differences.md").read_text(encoding="utf-8")
    reference = (DOCS / "language.md").read_text(encoding="utf-8")
    named = {one or other for one, other in SPELLED.findall(page)} - OF_OTHERS
    assert len(named) > 10
    known = set(re.findall(r"\w+", reference))
    assert named - known == set()
