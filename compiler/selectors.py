"""Selectors of `freeze` and `scale_lr` over the parameters of a built model."""

import difflib
from collections.abc import Mapping

from renaissance.compiler.addresses import ParameterAddress
from renaissance.compiler.errors import FreezeError
from renaissance.grammar.anatomy import selectors
from renaissance.grammar.anatomy.selectors import KINDS, SelectorError, layer_counts, parse
from renaissance.grammar.names import listing


def select(
    selector: str,
    parameters: Mapping[str, ParameterAddress],
    model_name: str,
    *,
    word: str = "freeze",
) -> tuple[str, ...]:
    """Return the names of the parameters that a selector means, in the order of the model.

    Args:
        selector: as `grammar.anatomy.selectors` reads it.
        parameters: what there is, by name.
        model_name: for messages.
        word: for messages: of the statement.

    Raises:
        FreezeError: if it means nothing; the message says what there is.
    """
    try:
        chosen = selectors.select(selector, parameters)
    except SelectorError as error:
        raise FreezeError(f"`{word}` {error}") from None
    if not chosen:
        raise FreezeError(_nothing(selector, parameters, model_name, word))
    return chosen


def _nothing(
    selector: str, parameters: Mapping[str, ParameterAddress], model_name: str, word: str
) -> str:
    addresses = [entry.address for entry in parameters.values()]
    counts = layer_counts(addresses)
    roots = list(dict.fromkeys(address.split(".")[0] for address in addresses))
    message = f"`{word}` selector `{selector}` matches nothing in model `{model_name}`"
    root = parse(selector)[0].name
    if root not in roots:
        near = difflib.get_close_matches(root, [*roots, *KINDS], n=1)
        hint = f", did you mean `{near[0]}`?" if near else ""
        return f"{message}{hint} Components are {listing(roots)}; kinds are {listing(KINDS)}"
    inside = dict.fromkeys(
        _with_count(address.split(".")[1], root, counts)
        for address in addresses
        if address.startswith(f"{root}.") and "." in address
    )
    return f"{message}; `{root}` has {listing(inside)}"


def _with_count(part: str, root: str, counts: Mapping[str, int]) -> str:
    name, bracket, _ = part.partition("[")
    return f"{name}[0:{counts[f'{root}.{name}']}]" if bracket else name
