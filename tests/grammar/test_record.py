"""Records behave as frozen dataclasses with fields by name."""

import copy
import pickle
from typing import ClassVar

import pytest

from renaissance.grammar.record import Record, field, replace


class Place(Record):
    """A place with a note that does not count."""

    unit: ClassVar[str] = "pixels"
    x: int
    y: int = 2
    notes: list[str] = field(default_factory=list, compare=False, repr=False)


class Named(Place):
    """A place with a name."""

    name: str = field(default="here")


def test_fields_left_out_have_their_defaults() -> None:
    place = Named(x=1)
    assert (place.x, place.y, place.notes, place.name) == (1, 2, [], "here")
    assert Named(x=1).notes is not place.notes
    assert Named.unit == "pixels"


@pytest.mark.parametrize("values", [{}, {"y": 1}, {"x": 1, "z": 1}])
def test_wrong_fields_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(TypeError, match=r"'[xz]'"):
        Place(**values)  # type: ignore[arg-type]


def test_records_do_not_change() -> None:
    place = Place(x=1)
    with pytest.raises(AttributeError):
        place.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del place.x
    with pytest.raises(AttributeError):
        place.z = 2  # type: ignore[attr-defined]
    assert not hasattr(place, "__dict__")


def test_equality_and_hash_leave_out_what_is_not_compared() -> None:
    assert Place(x=1) == Place(x=1, notes=["a"])
    assert hash(Place(x=1)) == hash(Place(x=1, notes=["a"]))
    assert Place(x=1) != Place(x=2)
    assert Place(x=1) != Named(x=1)
    assert Place(x=1) != 1


def test_it_shows_its_fields() -> None:
    assert repr(Place(x=1, notes=["a"])) == "Place(x=1, y=2)"


def test_replace_keeps_the_other_fields() -> None:
    assert replace(Named(x=1, name="there"), x=3) == Named(x=3, name="there")
    with pytest.raises(TypeError):
        replace(Place(x=1), z=3)  # type: ignore[call-arg]


def test_patterns_match_fields() -> None:
    match Named(x=1):
        case Place(x=1, y=y):
            assert y == 2
        case _:
            pytest.fail("no match")


def test_copies_and_pickles_are_equal() -> None:
    place = Named(x=1, notes=["a"])
    assert copy.copy(place) == place
    deep = copy.deepcopy(place)
    assert deep.notes == ["a"] and deep.notes is not place.notes
    assert pickle.loads(pickle.dumps(place)).notes == ["a"]
