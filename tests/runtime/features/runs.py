"""What a run says about its features, and everything that its numbers can differ in."""

import json
from pathlib import Path
from typing import Any

from renaissance.grammar.schema.spec import Spec


def events(folder: Path, job: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / job / "log.jsonl").read_text().splitlines()]


def counts(folder: Path, job: str, stream: str = "vision") -> tuple[int, int, int]:
    """How many images or texts were read, computed and newly kept."""
    [told] = [
        event["text"]
        for event in events(folder, job)
        if event.get("text", "").startswith(f"features of `{stream}`: read")
    ]
    words = told.replace(",", "").split()
    places = [words.index("read") + 1, words.index("computed") + 1, words.index("newly") - 1]
    return tuple(int(words[place]) for place in places)  # type: ignore[return-value]


def outcome(folder: Path, spec: Spec) -> dict[str, Any]:
    """Everything that numbers can differ in: losses, weights, running means of gradients."""
    found: dict[str, Any] = {}
    for name in spec.jobs:
        if not (folder / name).is_dir():
            continue
        for event in events(folder, name):
            if event["event"] in ("step", "validate"):
                key = (name, event["event"], event["step"])
                found[key] = (event["losses"], event["metrics"])
        result = json.loads((folder / name / "result.json").read_text())
        found[name] = (result["metrics"], result["confusion"], result["samples"])
        for path in sorted((folder / name).glob("checkpoints/step-*/*.safetensors")):
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found
