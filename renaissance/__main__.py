"""`python -m renaissance` does what the console script does."""

from renaissance.cli import console

console()
