"""Errors that machine, disk, damaged files and libraries cause, said in one sentence.

Whatever is not recognised here, nor raised as an error of ours, is a mistake in this program.
"""

import errno
import re

from renaissance.grammar.writing import DRAFT

LIBRARIES = (
    "timm",
    "transformers",
    "huggingface_hub",
    "tokenizers",
    "safetensors",
    "pyarrow",
    "datasets",
    "PIL",
    "tensorboard",
)
"""Libraries that read what a user names, and refuse it in words of their own."""
_DRAFT = re.compile(rf"{re.escape(DRAFT)}(?:\d+-)?(?=[^/]*$)")
_IN_THE_WAY = (errno.EEXIST, errno.EISDIR, errno.ENOTDIR)
_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EFBIG: "the file is larger than this disk or user may have",
}
DISK_FULL = tuple(_FULL)


def sentence(problem: BaseException) -> str | None:
    """Return what to tell a person about an error; None for one that is not of the surroundings."""
    if isinstance(problem, OSError) and problem.errno is not None:
        return _of_system(problem)
    if isinstance(problem, UnicodeEncodeError):
        return f"{problem.object[:200]!r} is no UTF-8 text, which names in results must be"
    if isinstance(problem, UnicodeDecodeError):
        return f"a file is no UTF-8 text: {problem.reason} at byte {problem.start}"
    text = _line(problem)
    if isinstance(problem, MemoryError) or _is_allocation(problem, text):
        return (
            "there is not enough memory: a smaller `micro_batch` or fewer `workers` need less "
            f"({text})"
        )
    if isinstance(problem, RuntimeError) and "home directory" in text:
        return "this user has no home folder: set HOME, or XDG_CACHE_HOME to a folder for caches"
    library = _library(problem)
    if library is not None:
        return f"`{library}` cannot do what is asked of it: {type(problem).__name__}: {text}"
    return None


def reason(problem: OSError) -> str:
    """Return why the operating system refused, without the name of the file."""
    if problem.errno in _FULL:
        return _FULL[problem.errno]
    if problem.errno in _IN_THE_WAY:
        return "something else of this name is in the way"
    text = problem.strerror or _line(problem)
    return text[:1].lower() + text[1:]


def _of_system(problem: OSError) -> str:
    name = problem.filename if problem.filename2 is None else problem.filename2
    if name is None:
        what = "nothing can be written" if problem.errno in _FULL else "the system refuses"
        return f"{what}: {reason(problem)}"
    # What a person knows is the file that a draft would become.
    name = _DRAFT.sub("", str(name))
    return f"`{_short(name)}` cannot be used: {reason(problem)}"


def _short(name: str) -> str:
    name = name.encode(errors="backslashreplace").decode()
    return name if len(name) <= 300 else f"{name[:150]}…{name[-100:]}"


def _line(problem: BaseException) -> str:
    """Return the text of an error on one line of bearable length."""
    text = " ".join(str(problem).split())
    return text if len(text) <= 400 else f"{text[:400]}…"


def _is_allocation(problem: BaseException, text: str) -> bool:
    # The first is a class of torch, which need not be imported to be recognised.
    return type(problem).__name__ == "OutOfMemoryError" or (
        isinstance(problem, RuntimeError) and "can't allocate memory" in text
    )


def _library(problem: BaseException) -> str | None:
    """Return the library that our code called last, if it is one that reads what a user names."""
    top = type(problem).__module__.partition(".")[0]
    if top in LIBRARIES:
        return top
    library, step = None, problem.__traceback__
    while step is not None:
        module = str(step.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        if module == "renaissance":
            library = None
        elif library is None and module in LIBRARIES:
            library = module
        step = step.tb_next
    return library
