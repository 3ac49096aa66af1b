"""How a key of the language is declared: once, with everything that is known about it.

Checks, documentation, `diff`, `show` and the JSON schema all read these declarations.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

Impact = Literal["weights", "numerics", "training", "eval", "cosmetic"]
"""What a change does to a trained checkpoint, strongest first.

`weights`: tensors or their names differ. `numerics`: same tensors, another function. `training`:
same model, another trajectory. `eval`: other measurements of the same model. `cosmetic`: nothing.
"""

REQUIRED: Any = ...


class Block(BaseModel):
    """A set of keys in braces. Unknown keys are errors, values are never coerced.

    Validators are made when a block is first read: a file uses less than half of all blocks.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True
    )


class WordBlock(Block):
    """A word with keys of its own, where plain words may stand too: `resize = fit { … }`."""


def key(
    default: Any = REQUIRED,
    *,
    doc: str,
    impact: Impact,
    unit: str = "",
    positional: bool = False,
    name: bool = False,
    path: Literal["file", "folder"] | None = None,
    spelled: str | None = None,
    position: str | None = None,
    default_factory: Callable[[], Any] | None = None,
    **constraints: Any,
) -> Any:
    """Declare a key.

    Args:
        default: its value where the file does not say; left out, the key must be given.
        doc: one line on what it means.
        impact: what a change of it does to a trained checkpoint.
        unit: what the value counts, such as `tokens` or `pixels`.
        positional: given between parentheses rather than in braces: `timm("name")`.
        name: text that is written as a plain name where it can be: `split = test`.
        path: the value is where a file or a folder lies.
        spelled: how a file spells the key, where that differs from the name of the field.
        position: where a source has to be able to stand, such as `encoder`.
        default_factory: makes the default when it is first asked for, in place of `default`.
        constraints: pydantic's own, such as `ge=1`.
    """
    extra: dict[str, Any] = {
        "impact": impact,
        "unit": unit,
        "positional": positional,
        "name": name,
        "path": path,
        "spelled": spelled,
        "position": position,
    }
    if default_factory is not None:
        constraints["default_factory"] = default_factory
    else:
        constraints["default"] = default
    return Field(description=doc, json_schema_extra=extra, **constraints)


def impact_of(field: FieldInfo) -> Impact:
    """Return the impact class that a key was declared with."""
    extra = field.json_schema_extra
    if not isinstance(extra, dict):
        raise TypeError(f"{field} was not declared with key()")
    impact: Impact = extra["impact"]  # type: ignore[assignment]
    return impact


class Spelled(float):
    """A number with a unit, which specs and JSON hold as it is spelled; never a bare number."""

    pattern: ClassVar[str]

    @property
    def spelling(self) -> str:
        """The shortest text that reads back as this value."""
        raise NotImplementedError

    @classmethod
    def _read(cls, value: object) -> Self:
        raise NotImplementedError

    def __repr__(self) -> str:
        """Show the spelling."""
        return self.spelling

    __str__ = __repr__

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Accept a value or its spelling, and nothing that is merely a number."""
        return core_schema.no_info_plain_validator_function(
            cls._read,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda v: v.spelling),
            json_schema_input_schema=core_schema.str_schema(pattern=cls.pattern),
        )


class Share(Spelled):
    """A part of a whole, written `15%` in a spec and in JSON; as a float it is 0.15."""

    pattern = r"^[0-9.]+%$"

    @classmethod
    def of_percent(cls, percent: float) -> Self:
        """Return the share that a percentage stands for."""
        return cls(percent / 100)

    @property
    def spelling(self) -> str:
        """The shortest percentage that reads back as this share."""
        shortest = (f"{self * 100:.{digits}f}" for digits in range(20))
        percent = next((text for text in shortest if float(text) / 100 == self), None)
        if percent is None:
            percent = f"{Decimal(repr(float(self))) * 100:f}"
        return f"{percent.rstrip('0').rstrip('.') if '.' in percent else percent}%"

    @classmethod
    def _read(cls, value: object) -> Self:
        if isinstance(value, cls):
            share = value
        elif isinstance(value, str) and value.endswith("%"):
            share = cls.of_percent(float(value[:-1]))
        else:
            raise ValueError("a percentage is wanted, such as `15%`")
        if not 0 <= share <= 1:
            raise ValueError("a percentage lies between 0% and 100%")
        return share


class Minutes(Spelled):
    """A time by the clock, written `15min` or `2h` in a spec and `15min` in JSON."""

    pattern = r"^[0-9.]+min$"

    @property
    def spelling(self) -> str:
        """The minutes, as a spec writes them."""
        return f"{repr(float(self)).removesuffix('.0')}min"

    @classmethod
    def _read(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        if isinstance(value, str) and value.endswith("min"):
            return cls(value.removesuffix("min"))
        raise ValueError("a time is wanted, such as `15min`")
