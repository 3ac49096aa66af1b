"""Amounts in words."""

import pytest

from renaissance.compiler.amounts import (
    GIBIBYTE,
    amount,
    duration,
    gibibytes,
    in_bytes,
    per_second,
    predicted,
)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (999, "999"),
        (9_994, "9.99k"),
        (9_996, "10.0k"),
        (99_960, "100k"),
        (999_499, "999k"),
        (999_500, "1.00M"),
        (-86_567_656, "-86.6M"),
        (3e18, "3000P"),
    ],
)
def test_three_digits_and_a_prefix(number: float, words: str) -> None:
    assert amount(number) == words


def test_units_stand_behind_the_prefix() -> None:
    assert amount(2.5e12, "FLOP") == "2.50TFLOP"
    assert amount(512, space=" ") == "512"
    assert [in_bytes(size) for size in (999, 13.4e12, 2e15)] == ["999 B", "13.4 TB", "2.00 PB"]
    assert gibibytes(1024.25 * GIBIBYTE) == "1,024.2 GiB"


def test_small_rates_keep_their_digits() -> None:
    assert [per_second(rate) for rate in (0.0149, 2.5, 2105)] == ["0.0149", "2.5", "2,105"]


@pytest.mark.parametrize(
    ("seconds", "measured", "expected"),
    [
        (0.04, "0.0 s", "40 ms"),
        (59.96, "1 min 00 s", "60 s"),
        (252.2, "4 min 12 s", "4 min"),
        (7500, "2 h 05 min", "2 h 5 min"),
        (273_600, "76 h 00 min", "3 d 4 h"),
    ],
)
def test_times(seconds: float, measured: str, expected: str) -> None:
    assert duration(seconds) == measured
    assert predicted(seconds) == expected
