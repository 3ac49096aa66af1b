"""Read the pages `VLnnn.md` beside this file.

A page looks like this, and a test runs both examples of each:

    # VL006: no value after `=`

    ## What it means
    …

    ## Fails
    ```vl fails
    …
    ```

    ## Works
    ```vl works
    …
    ```

An example that needs other files has them in fences of their own, opened with `vl file=NAME`.
A page about what no file causes, `VL9nn`, has only the first part.
"""

import re
from pathlib import Path

from renaissance.grammar.record import Record, field

_FOLDER = Path(__file__).parent
_FENCE = re.compile(r"^```vl (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(Record):
    """A spec; `files` are the texts that it imports, by name."""

    text: str
    files: dict[str, str] = field(default_factory=dict)


class Explanation(Record):
    """The page of a code.

    Attributes:
        code: such as `VL204`.
        title: the finding in a few words.
        text: the whole page, as Markdown.
        fails: a spec with exactly this finding; internal errors have none.
        works: the same with nothing to find.
    """

    code: str
    title: str
    text: str
    fails: Example | None
    works: Example | None


def codes() -> tuple[str, ...]:
    """Return all codes that have a page, in order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("VL[0-9][0-9][0-9].md")))


def explanation(code: str) -> Explanation:
    """Return the page of a code.

    Raises:
        KeyError: if there is no such code.
        ValueError: if the page does not have the form described above.
    """
    if code not in codes():
        raise KeyError(code)
    text = (_FOLDER / f"{code}.md").read_text(encoding="utf-8")
    heading, _, _ = text.partition("\n")
    named, _, title = heading.removeprefix("# ").partition(": ")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    internal = code.startswith("VL9")
    expected = ["What it means"] if internal else ["What it means", "Fails", "Works"]
    if named != code or not title or headings != expected:
        raise ValueError(f"the headings of {code}.md are not those of a page")
    if internal:
        return Explanation(code=code, title=title, text=text, fails=None, works=None)
    fences = [(kind, content) for kind, content in _FENCE.findall(text)]
    files = {
        kind.removeprefix("file="): content for kind, content in fences if kind.startswith("file=")
    }
    examples = [(kind, content) for kind, content in fences if not kind.startswith("file=")]
    if [kind for kind, _ in examples] != ["fails", "works"]:
        raise ValueError(f"{code}.md needs one example that fails and one that works, in order")
    fails, works = (Example(text=content, files=files) for _, content in examples)
    return Explanation(code=code, title=title, text=text, fails=fails, works=works)
