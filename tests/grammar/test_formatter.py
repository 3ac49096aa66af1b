"""The formatter: layout, comments, and what it refuses to do."""

import pytest

from renaissance.grammar import formatter
from renaissance.grammar.diagnostics import SpecError
from renaissance.grammar.formatter import FormatError, format_source
from renaissance.grammar.source import Source


def formatted(text: str) -> str:
    result = format_source(Source(name="a.vl", text=text))
    assert format_source(Source(name="a.vl", text=result)) == result
    return result


def test_spaces_indentation_and_blank_lines() -> None:
    text = "\n\nmodel   m{\n\n\n  pool=cls\n\n\n\n     freeze   a ,b\n\n}\n\n\n"
    assert formatted(text) == "model m {\n  pool = cls\n\n  freeze a, b\n}\n"


def test_equal_signs_are_aligned_within_a_run() -> None:
    text = """\
pretrain p on m {
  batch = 512
  steps = 50k
  precision = bf16

  seed = 0
  # apart
  epochs = 3
  model { a = 1 }
  x = 1
}
backbone text = a
backbone vision = b
fusion f = c
"""
    assert (
        formatted(text)
        == """\
pretrain p on m {
  batch     = 512
  steps     = 50k
  precision = bf16

  seed = 0
  # apart
  epochs = 3
  model { a = 1 }
  x = 1
}
backbone text   = a
backbone vision = b
fusion f = c
"""
    )


def test_comments_stay_where_they_belong() -> None:
    text = """\
# above


# and above
model m { # behind a brace
  a = 1 # one
  bbb = 2 # two
  list = [ # first
    1, # behind one
    # before two
    2 # behind two
    , 3
    # last in list
  ]
  freeze a, # behind a
    # before b
    b
  # last in block
} # behind the block
# at the end
"""
    assert (
        formatted(text)
        == """\
# above

# and above
model m {  # behind a brace
  a   = 1  # one
  bbb = 2  # two
  list = [
    # first
    1,  # behind one
    # before two
    2,  # behind two
    3,
    # last in list
  ]
  freeze a,  # behind a
      # before b
      b
  # last in block
}  # behind the block
# at the end
"""
    )


def test_a_short_block_stays_on_its_line_and_a_long_one_does_not() -> None:
    short = "data coco { format = karpathy, split = train }\n"
    assert formatted(short) == short
    broken = "data coco {\n  format = karpathy\n}\n"
    assert formatted(broken) == broken
    name = "x" * 60
    assert formatted(f"data coco {{ format = {name}, root = {name} }}\n") == (
        f"data coco {{\n  format = {name}\n  root   = {name}\n}}\n"
    )


def test_a_list_is_on_one_line_where_it_fits() -> None:
    assert formatted("a = [\n  1,\n  2,\n]\n") == "a = [1, 2]\n"
    long = ", ".join(["0.123456789"] * 9)
    broken = "".join("  0.123456789,\n" for _ in range(9))
    assert formatted(f"a = [{long}]\n") == f"a = [\n{broken}]\n"


def test_no_line_is_wider_than_100_where_it_can_be_broken() -> None:
    names = [f"component_number_{number}" for number in range(12)]
    text = f"freeze {', '.join(names)} until 30%\nf = call({', '.join(names)}) {{ a = 1 }}\n"
    assert max(map(len, formatted(text).splitlines())) <= 100


def test_alignment_never_makes_a_line_too_wide() -> None:
    text = f"{'a' * 30} = 1\nb = {'c' * 80}\n"
    assert formatted(text) == text


def test_a_freeze_before_another_statement_is_not_joined_by_a_comma() -> None:
    text = "model { freeze a until 30%, x = 1 }\nmodel { freeze nothing, x = 1 }\n"
    assert formatted(text) == text


def test_spelling_is_kept() -> None:
    text = 'a = 1_000\nb = 50k\nc = 1E-4\nd = 015%\ne = "\\u00e9\\n"\n'
    assert formatted(text) == text


def test_empty_and_comment_only_files() -> None:
    assert formatted("") == ""
    assert formatted("\n\n") == ""
    assert formatted("# a  \n\n\n\n# b") == "# a\n\n# b\n"
    assert formatted("model m {\n}\n") == "model m {}\n"
    assert formatted("model m { # c\n}\n") == "model m {  # c\n}\n"


def test_a_spec_without_meaning_is_formatted() -> None:
    assert formatted("nonsense   = [ 15%,true ]") == "nonsense = [15%, true]\n"


def test_syntax_errors_are_refused_with_all_findings() -> None:
    with pytest.raises(SpecError) as caught:
        format_source(Source(name="a.vl", text="a = = 1\nb = = 2\n"))
    assert [finding.code for finding in caught.value.diagnostics] == ["VL001", "VL001"]


@pytest.mark.parametrize("wrong", ["a = 2  # c\n", "a = 1\n", "a = 1  # c\n# c\n"])
def test_a_wrong_result_is_never_returned(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatter, "print_tree", lambda file, comments: wrong)
    with pytest.raises(FormatError):
        format_source(Source(name="a.vl", text="a = 1 # c\n"))


def test_an_unstable_result_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    results = iter(["a  = 1\n", "a = 1\n"])
    monkeypatch.setattr(formatter, "print_tree", lambda file, comments: next(results))
    with pytest.raises(FormatError, match="twice"):
        format_source(Source(name="a.vl", text="a=1"))
