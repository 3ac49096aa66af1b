"""The command line: one verb a task, each in a module that is imported when it is asked for.

Exit codes: 0 fine; 1 the answer is no (errors found, would reformat, differs); 2 no answer (usage,
unreadable file, internal error); 3 a valid job failed; 130 interrupted.
"""

import argparse
import gc
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from renaissance import __version__
from renaissance.answer import INTERRUPTED, NO, NO_ANSWER, answer
from renaissance.ascii import plainly
from renaissance.libraries import start_again_with_settings
from renaissance.once import OnceParser
from renaissance.verbs import VERBS

RUN_MODELS = frozenset({"train", "eval", "run", "study", "predict", "bench"})
"""Verbs that gain from settings of libraries, and the one that measures for them."""

GO_ON = frozenset({"train", "eval", "run", "study"})
"""Verbs that keep what they have done."""

_OBJECTS_BETWEEN_COLLECTIONS = 1_000_000


def console() -> None:
    """Run the command line of this process and leave with its exit code."""
    if not RUN_MODELS.isdisjoint(sys.argv[1:2]):
        start_again_with_settings()
    code = main(sys.argv[1:])
    if "torch" in sys.modules:
        sys.exit(code)
    # No library has anything to put in order, and freeing one object after the other takes as long
    # as a tenth of a `check`.
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = NO_ANSWER
    os._exit(code)


def main(argv: Sequence[str]) -> int:
    """Run a command line and return its exit code; never raises for what a user can cause."""
    for stream in (sys.stdout, sys.stderr):
        # A file name or a text may contain what the terminal's encoding has no place for.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=plainly())
    if argv and not argv[0].startswith("-") and argv[0] not in VERBS:
        sys.stderr.write(_no_verb(argv[0]))
        return NO_ANSWER
    try:
        arguments = _parser(argv).parse_args(argv)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_ANSWER
    except KeyboardInterrupt:
        goes_on = "; run the same command again to go on" if arguments.verb in GO_ON else ""
        sys.stderr.write(f"error: `{arguments.verb}` was stopped{goes_on}\n")
        return INTERRUPTED
    except OSError as problem:
        # Standard output is a file on a full disk, or the like.
        sys.stderr.write(f"error: {_told(problem)}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_ANSWER
    return code


def _no_verb(word: str) -> str:
    """Say that a word is no verb, and which one may be meant."""
    from renaissance.files import find_spec
    from renaissance.grammar.names import listing, nearest
    from renaissance.grammar.paths import exists

    if exists(find_spec(word)):
        return f"error: a verb stands before `{word}`: write `renaissance check {word}`\n"
    near = nearest(word, [*VERBS])
    meant = f"is {listing(near[:1])} meant?" if near else f"there is {listing(VERBS)}"
    return f"usage: renaissance VERB …\nerror: there is no verb `{word}`; {meant}\n"


def _run(arguments: argparse.Namespace) -> int:
    from renaissance.grammar.diagnostics import SpecError
    from renaissance.grammar.source import SourceError

    try:
        # What an import makes stays, so that looking for garbage in it is wasted start-up time.
        gc.disable()
        try:
            module = import_module(f"renaissance.commands.{arguments.verb}")
        finally:
            gc.freeze()
            gc.enable()
        if arguments.verb not in RUN_MODELS:
            # A long file makes a tree of hundreds of thousands of objects, all of which stay.
            gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        code: int = module.run(arguments)
        return code
    except SpecError as error:
        return answer(arguments, NO, diagnostics=error.diagnostics)
    except SourceError as error:
        return answer(arguments, NO_ANSWER, failures=[str(error)])
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:
        if arguments.verbose:
            import traceback

            traceback.print_exc()
        return answer(arguments, NO_ANSWER, failures=[_told(error) or _bug(arguments, error)])


def _told(error: Exception) -> str | None:
    """Return a sentence on an error that is no mistake in this program; None for others."""
    from renaissance.compiler.errors import CompileError
    from renaissance.grammar.kinds.origins import failure_of_others
    from renaissance.grammar.kinds.registry import KindError
    from renaissance.runtime.data.errors import DataError
    from renaissance.runtime.errors import InterruptionError, JobError
    from renaissance.runtime.surroundings import sentence

    ours = isinstance(error, (CompileError, DataError, InterruptionError, JobError, KindError))
    if ours:
        return str(error)
    cause = sentence(error) or failure_of_others(error)
    return None if cause is None else str(cause)


def _bug(arguments: argparse.Namespace, error: Exception) -> str:
    what = " ".join(f"{type(error).__name__}: {error}".split())
    more = "" if arguments.verbose else "; run it again with -v to see where"
    return (
        f"VL901: this is a bug in renaissance {__version__}, not in your file: "
        f"`renaissance {arguments.verb}` failed with {what}{more}"
    )


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """Return what reads a command line: of all verbs, or of the one that it begins with."""
    parser = argparse.ArgumentParser(
        prog="renaissance",
        description="Check, compile, train and evaluate vision-language encoders from .vl specs.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"renaissance {__version__}")
    verbs = parser.add_subparsers(
        dest="verb", metavar="VERB", required=True, parser_class=OnceParser
    )
    first = argv[0] if argv else ""
    for name, verb in ({first: VERBS[first]} if first in VERBS else VERBS).items():
        subparser = verbs.add_parser(
            name, help=verb.summary, description=verb.description, allow_abbrev=False
        )
        verb.declare(subparser)
        subparser.add_argument(
            "--color",
            choices=("auto", "always", "never"),
            default="auto",
            help="colour findings: auto means on a terminal, unless NO_COLOR is set",
        )
        subparser.add_argument(
            "-v", "--verbose", action="store_true", help="show where an internal error happened"
        )
    return parser
