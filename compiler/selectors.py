"""Selectors of `freeze`, `adapt`, `scale_lr` and `decay_lr` over parameters of a built model."""

from collections.abc import Mapping

from renaissance.compiler.addresses import ParameterAddress
from renaissance.compiler.errors import FreezeError
from renaissance.grammar.anatomy import selectors
from renaissance.grammar.anatomy.selectors import SelectorError, layer_counts, parse
from renaissance.grammar.checks.selecting import unmatched


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
    root = parse(selector)[0].name
    inside = {address.split(".")[1] for address in addresses if address.startswith(f"{root}.")}
    said = unmatched(
        word,
        selector,
        model_name,
        roots=list(dict.fromkeys(address.split(".")[0] for address in addresses)),
        inside=sorted({part.partition("[")[0] for part in inside}),
        layers=layer_counts(addresses).get(f"{root}.layers"),
    )
    return "; ".join((said.message, *said.help, *said.notes))
