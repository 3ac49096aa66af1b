"""Records of a run as JSON that carries its own digest.

A digest tells damage from content: without it a flipped bit in a number is another number.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from renaissance.runtime.errors import DamageError

Content = TypeVar("Content", bound=BaseModel)

SEAL = "sha256"


def seal(content: BaseModel) -> str:
    """Return a record as JSON with the digest of all its fields as its last one."""
    fields = json.loads(content.model_dump_json())
    return json.dumps({**fields, SEAL: _digest(fields)}, indent=1, ensure_ascii=False)


def unseal(path: Path, kind: type[Content], what: str) -> Content:
    """Read what `seal` made, or a file of a version that did not seal.

    Args:
        path: of the file.
        kind: of the record.
        what: a file is that holds such a record, for messages.

    Raises:
        FileNotFoundError: if there is no such file.
        DamageError: if it cannot be read, is no such record, or is not what was written.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise DamageError(f"`{path}` cannot be read: {problem.strerror}") from None
    try:
        fields = json.loads(text)
    except ValueError:  # also of bytes that are no UTF-8
        fields = None
    if not isinstance(fields, dict):
        raise DamageError(f"`{path}` is no {what}: it is cut off or no JSON")
    expected = fields.pop(SEAL, None)
    if expected is None and fields.get("format", 1) != 1:
        raise DamageError(f"`{path}` is no {what}: its digest is missing")
    if expected is not None and expected != _digest(fields):
        raise DamageError(f"the content of `{path}` is not what was written (SHA-256)")
    try:
        return kind.model_validate_json(json.dumps(fields))
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise DamageError(f"`{path}` is no {what}: {where}: {first['msg']}") from None


def _digest(fields: dict[str, Any]) -> str:
    plain = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()
