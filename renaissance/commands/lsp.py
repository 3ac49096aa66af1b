"""`renaissance lsp`: the language server, which editors start."""

from argparse import Namespace
from importlib.util import find_spec

from renaissance.answer import FINE, NO_ANSWER, answer


def run(arguments: Namespace) -> int:
    """Answer an editor on standard input and output until it says that it ends."""
    if find_spec("pygls") is None:
        failure = "the language server needs pygls: pip install 'renaissance-vl[lsp]'"
        return answer(arguments, NO_ANSWER, failures=[failure])
    from renaissance.editor.server import serve

    serve()
    return FINE
