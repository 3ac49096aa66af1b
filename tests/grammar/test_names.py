"""Names in messages."""

from renaissance.grammar.names import listing, nearest, suggestion, with_article


def test_names_are_listed() -> None:
    assert listing(["a"]) == "`a`"
    assert listing(["a", "b", "c"]) == "`a`, `b`, `c`"
    assert listing(["a", "b"], between=" and ") == "`a` and `b`"
    assert listing([]) == "none"
    assert listing([], "nothing") == "nothing"


def test_of_many_names_the_first_are_listed() -> None:
    assert listing("abc", most=3) == "`a`, `b`, `c`"
    assert listing("abcde", most=3) == "`a`, `b`, `c` and 2 more"


def test_names_that_come_close() -> None:
    assert nearest("tex", ["text", "vision", "next"])[0] == "text"
    assert suggestion("tex", ["text"], "a stream") == (
        "a stream with a similar name exists: `text`",
    )
    assert suggestion("tex", ["vision"], "a stream") == ()
    assert [with_article(noun) for noun in ("image", "text")] == ["an image", "a text"]


def test_swapped_letters_are_one_slip() -> None:
    assert nearest("widht", ["weights", "width", "height"]) == ("width",)
    assert nearest("scael_lr", ["decay_lr", "scale_lr"]) == ("scale_lr",)
    assert nearest("easyVQA", ["easy_vqa", "vqav2"]) == ("easy_vqa",)
