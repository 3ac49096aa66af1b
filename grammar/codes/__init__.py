"""What each code means: one page a code, with an example that fails and one that works."""

from renaissance.grammar.codes.pages import Example, Explanation, codes, explanation

__all__ = ["Example", "Explanation", "codes", "explanation"]
