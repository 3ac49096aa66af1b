"""Reading pages as a browser does."""

import re
from html.parser import HTMLParser

LOADS = ("src", "href", "srcset", "action", "data", "poster", "xlink:href")
LOOKS_ALIKE = {"serif", "sans", "mono"}
"""Variables of a style that are no colours."""


class Page(HTMLParser):
    """Collects what a browser would see; fails on elements that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self._classes: list[list[str]] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.wide: list[str] = []
        self.styles: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend((name, value or "") for name, value in attrs)
        if tag not in {"meta", "link", "img", "br"}:
            self.open.append(tag)
            self._classes.append((dict(attrs).get("class") or "").split())
        # The list of jobs is no table on a narrow screen.
        inside = {name for classes in self._classes for name in classes}
        if tag == "table" and inside.isdisjoint({"scroll", "jobs"}):
            self.wide.append(str(self.getpos()))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend((name, value or "") for name, value in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._classes.pop()

    def handle_data(self, data: str) -> None:
        into = self.styles if self.open and self.open[-1] == "style" else self.words
        into.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


def assert_framed(page: Page, kind: str) -> None:
    """Assert what holds for all pages: they have one frame, and are read on any screen."""
    assert f"Renaissance {kind}" in page.text
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in page.values("href") if value.startswith("#")} <= set(ids)
    assert page.tags.count("h1") == page.tags.count("main") == page.tags.count("footer") == 1
    assert page.wide == []
    [style] = page.styles
    dark = "".join(re.findall(r"prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}", style, re.S))
    light = re.sub(r"@media.*?\{.*?\}\s*\}", "", style, flags=re.S)
    light = "".join(re.findall(r":root \{(.*?)\}", light, re.S))
    named, nightly = (set(re.findall(r"--([\w-]+):", text)) for text in (light, dark))
    assert named - LOOKS_ALIKE == nightly
    assert set(re.findall(r"var\(--([\w-]+)\)", style)) - named <= {"heat"}  # cells have it
