"""Records: frozen values with named fields, for the classes of which a file makes few objects.

To a reader and to a type checker a record is a frozen dataclass with slots whose fields are given
by name. A dataclass writes five methods anew for every class and has them compiled, which takes
half a millisecond each time that the program starts; the language has fifty such classes. All
records share their methods, which takes a little longer for every object instead. Where a file
makes very many objects, `class Node(Record, many=True)` gives it and the classes below it an
`__init__` of their own.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform, get_origin

if TYPE_CHECKING:
    from dataclasses import replace
else:

    def replace(record: "Record", /, **changes: Any) -> "Record":
        """Return the same record with other values in some fields."""
        return type(record)(**{**record._asked(), **changes})


__all__ = ["Record", "field", "replace"]

_set = object.__setattr__


class _Field:
    """What is known of a field beside its name."""

    __slots__ = ("compare", "make", "repr")

    def __init__(self, make: Callable[[], Any] | None, compare: bool, repr: bool) -> None:
        self.make = make
        self.compare = compare
        self.repr = repr


def field(
    *,
    default: Any = ...,
    default_factory: Callable[[], Any] | None = None,
    compare: bool = True,
    repr: bool = True,
) -> Any:
    """Declare a field, as in a dataclass.

    Args:
        default: its value where none is given; left out, one has to be given.
        default_factory: makes that value, in place of `default`.
        compare: two records with different values in it are different.
        repr: it is shown.
    """
    if default_factory is None and default is not ...:
        default_factory = _constant(default)
    return _Field(default_factory, compare, repr)


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
class _Declared(type):
    """Makes slots of the annotations of a class."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], many: bool = False
    ) -> "_Declared":
        """Take defaults out of the class, where slots of the same names have to be."""
        fields: dict[str, _Field] = {}
        for base in bases:
            fields |= getattr(base, "_fields", {})
        own = [
            key
            for key, annotation in namespace.get("__annotations__", {}).items()
            if get_origin(annotation) is not ClassVar
        ]
        for key in own:
            value = namespace.pop(key, ...)
            fields[key] = value if isinstance(value, _Field) else field(default=value)
        namespace |= {
            "__slots__": tuple(own),
            "_fields": fields,
            "_names": tuple(fields),
            "_defaults": tuple((key, each.make) for key, each in fields.items() if each.make),
            "_compared": tuple(key for key, declared in fields.items() if declared.compare),
            "_many": many or any(getattr(base, "_many", False) for base in bases),
        }
        made = super().__new__(mcs, name, bases, namespace)
        if namespace["_many"]:
            made.__init__ = _initializer(made, fields)  # type: ignore[misc]
        return made


def _initializer(record: type, fields: dict[str, _Field]) -> Callable[..., None]:
    """Return the `__init__` of a class that sets its slots one after the other."""
    known: dict[str, Any] = {"absent": ...}
    asked, sets = [], []
    for name, declared in fields.items():
        known[f"set_{name}"] = getattr(record, name).__set__
        known[f"make_{name}"] = declared.make
        asked.append(f"{name}=absent" if declared.make else name)
        value = f"make_{name}() if {name} is absent else {name}" if declared.make else name
        sets.append(f"    set_{name}(self, {value})\n")
    exec(f"def __init__(self, *, {', '.join(asked)}):\n{''.join(sets)}", known)
    found: Callable[..., None] = known["__init__"]
    return found


class Record(metaclass=_Declared):
    """Base class of records."""

    if TYPE_CHECKING:
        _fields: ClassVar[dict[str, _Field]]
        _names: ClassVar[tuple[str, ...]]
        _defaults: ClassVar[tuple[tuple[str, Callable[[], Any]], ...]]
        _compared: ClassVar[tuple[str, ...]]

    def __init__(self, **values: Any) -> None:
        """Set all fields; TypeError for names that are no fields and for fields left out."""
        names = self._names
        if len(values) != len(names):
            for name, make in self._defaults:
                if name not in values:
                    values[name] = make()
            if len(values) != len(names):
                self._refuse(values)
        try:
            for name in names:
                _set(self, name, values[name])
        except KeyError:
            self._refuse(values)

    def _refuse(self, values: dict[str, Any]) -> None:
        kind = type(self).__name__
        for name in values.keys() - self._fields.keys():
            raise TypeError(f"{kind} has no field {name!r}")
        for name in self._fields.keys() - values.keys():
            raise TypeError(f"{kind} needs a value for {name!r}")

    def _asked(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._fields}

    def _key(self) -> tuple[Any, ...]:
        return tuple([getattr(self, name) for name in self._compared])

    def __eq__(self, other: object) -> bool:
        """Compare records of one class by their fields."""
        if type(self) is not type(other):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        """Hash the fields that are compared."""
        return hash(self._key())

    def __repr__(self) -> str:
        """Show the class with its fields."""
        shown = [name for name, declared in self._fields.items() if declared.repr]
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__qualname__}({values})"

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse: records do not change."""
        raise AttributeError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        """Refuse: records do not change."""
        raise AttributeError(f"cannot delete field {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle by making the record anew."""
        return _made, (type(self), self._asked())


def _made(kind: type[Record], values: dict[str, Any]) -> Record:
    return kind(**values)
