"""`renaissance specs`: what ships with the package."""

import sys
from argparse import Namespace

from renaissance.answer import FINE, NO_ANSWER, answer
from renaissance.grammar.names import nearest
from renaissance.grammar.published_models import UnusualError, published_model
from renaissance.grammar.published_text import text_of
from renaissance.grammar.shipped import shipped_path, shipped_specs
from renaissance.grammar.source import read_source


def run(arguments: Namespace) -> int:
    """List the shipped specs with what each is about, or print one."""
    if arguments.folder is not None:
        return _from(arguments)
    known = shipped_specs()
    if arguments.name is None:
        if arguments.format == "json":
            listed = [{"name": name, "about": about} for name, about in known.items()]
            return answer(arguments, FINE, specs=listed)
        width = max(map(len, known), default=0)
        for name, about in known.items():
            print(f"{name:{width}}  {about}")
        return FINE
    path = shipped_path(arguments.name)
    if path is None:
        close = nearest(arguments.name, known)
        hint = f"; there is {', '.join(close)}" if close else ""
        failure = f"no spec named {arguments.name} ships with the package{hint}"
        return answer(arguments, NO_ANSWER, failures=[failure])
    text = read_source(str(path)).text
    if arguments.format == "json":
        return answer(arguments, FINE, name=arguments.name, text=text)
    sys.stdout.write(text)
    return FINE


def _from(arguments: Namespace) -> int:
    """Print a model that starts from a published one."""
    if arguments.name is not None:
        failure = (
            f"--from prints the model of a folder, and {arguments.name} ships with the package"
        )
        return answer(arguments, NO_ANSWER, failures=[failure])
    try:
        text = text_of(published_model(arguments.folder))
    except UnusualError as problem:
        return answer(arguments, NO_ANSWER, failures=[str(problem)])
    if arguments.format == "json":
        return answer(arguments, FINE, name=arguments.folder, text=text)
    sys.stdout.write(text)
    return FINE
