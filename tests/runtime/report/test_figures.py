import math

import pytest

from renaissance.grammar.kinds.quantity import ERROR, SHARE
from renaissance.runtime.report import figures
from renaissance.runtime.report.highlight import highlight


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00 k"),
        (12_345, "12.3 k"),
        (999_499, "999 k"),
        (999_500, "1.00 M"),
        (86_567_656, "86.6 M"),
        (2_000_000_000_000, "2.00 T"),
    ],
)
def test_magnitudes(number: int, words: str) -> None:
    assert plain(figures.magnitude(number)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "\N{EN DASH}"),
        (math.nan, "\N{EN DASH}"),
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (252.2, "4 min 12 s"),
        (3599.7, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations(seconds: float | None, words: str) -> None:
    assert plain(figures.duration(seconds)) == words


def test_only_all_is_called_all() -> None:
    assert plain(figures.share(1.0)) == "100.0 %"
    assert plain(figures.share(0.99999)) == "99.9 %"
    assert plain(figures.share(0.999, 0)) == "99 %"
    assert plain(figures.share(0.0)) == "0.0 %"
    assert plain(figures.share(1e-6)) == "< 0.1 %"
    assert plain(figures.share(0.001, 0)) == "< 1 %"


def test_metrics_are_spelled_by_what_they_are() -> None:
    assert plain(figures.metric(SHARE, 0.98765)) == "98.77 %"
    assert plain(figures.metric(SHARE, 0.5)) == "50.00 %"
    assert figures.metric(ERROR, 0.043211) == "0.04321"
    assert figures.metric(ERROR, math.nan) == "nan"


def test_highlighting_keeps_the_text() -> None:
    text = (
        'model m {  # "a" <b>\n  freeze text.layers[:4] until 30%\n  lr = 1e-4, id = "x # <y>"\n}\n'
    )
    markup = highlight(text)
    assert markup.striptags() == " ".join(text.split())
    assert '<span class="comment"># &#34;a&#34; &lt;b&gt;</span>' in markup
    assert '<span class="string">&#34;x # &lt;y&gt;&#34;</span>' in markup
    assert '<span class="number">1e-4</span>' in markup
    assert '<span class="number">30%</span>' in markup
    assert '<span class="key">lr</span>' in markup
