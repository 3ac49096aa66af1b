"""Pages `WORD.md` about what statements say, each with an example that a test checks."""
