"""What `explain` says of the encoders that are known: all by family, or one of them."""

from collections import defaultdict

from renaissance.grammar.architectures import Architecture, from_config
from renaissance.grammar.catalogue.lookup import ENTRIES, bare_name, find
from renaissance.grammar.catalogue.published import Published
from renaissance.grammar.catalogue.timm_models import timm_model, timm_names, timm_version

CATALOGUE = "catalogue"
"""The word whose page lists them."""

_HEADS = {
    "text": "| name | layers | width | heads | tokens | vocabulary |\n|---|---|---|---|---|---|",
    "vision": "| name | layers | width | heads | pixels | patch | before the patches |\n"
    "|---|---|---|---|---|---|---|",
}


def catalogue_page() -> str:
    """Return the encoders of transformers by family, and how many models timm has of each."""
    families: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for entry in ENTRIES:
        for known in _halves(entry):
            families[known.model_type, known.modality].append(_row(entry, known))
    lines = [
        "# Known encoders",
        "",
        'Of these `check` knows the sizes without any network: `huggingface("…")` loads them with '
        'their weights, `random("…")` makes them without. `renaissance explain NAME` says what is '
        "known of one, and where its numbers stand.",
    ]
    for family, modality in sorted(families):
        lines += ["", f"## {family}", "", _HEADS[modality], *families[family, modality]]
    lines += ["", f"## timm {timm_version()}", "", _of_timm(), ""]
    return "\n".join(lines)


def encoder_page(id: str) -> str | None:
    """Return what is known of one encoder; None of a name that is none."""
    entry = next((entry for entry in ENTRIES if id in entry.ids), None)
    if entry is not None:
        tables = []
        for known in _halves(entry):
            head = _HEADS[known.modality]
            tables.append(f"## {known.model_type}\n\n{head}\n{_row(entry, known)}\n")
        refused = f"It can be no tower: {entry.refused}.\n\n" if entry.refused else ""
        also = ", ".join(f"`{other}`" for other in entry.ids if other != id)
        same = f"The same numbers: {also}.\n\n" if also else ""
        return f"# `{id}`\n\nSource: {entry.source}\n\n{refused}{same}" + "\n".join(tables)
    return _timm_page(id)


def _timm_page(id: str) -> str | None:
    name, _, tag = bare_name(id).partition(".")
    model = None if find(id) is None else timm_model(name)
    if model is None:
        return None
    images = model.tags.get(tag, model.images)
    mean, deviation = (", ".join(f"{value:g}" for value in side) for side in images.statistics)
    first = " with a class token" if model.class_token else ""
    facts = [f"Images of {images.size} × {images.size} pixels, mean {mean}, deviation {deviation}."]
    if model.refused:
        facts.append(f"It can be no tower: {model.refused}.")
    else:
        facts.append(
            f"{model.parameters:,} parameters, {model.layers} layers, width {model.width}; "
            f"{model.tokens} tokens of {model.images.size} pixels, {model.prefix_tokens} of them "
            f"before the patches{first}."
        )
    if model.tags:
        facts.append("Weights: " + ", ".join(f"`{tag}`" for tag in model.tags) + ".")
    return f"# `{id}`\n\nA model of timm {timm_version()}.\n\n" + "\n\n".join(facts) + "\n"


def _halves(entry: Published) -> list[Architecture]:
    configs = [entry.config] if entry.texts is None else [entry.config, entry.texts]
    return [from_config(entry.ids[0], config, entry.statistics) for config in configs]


def _row(entry: Published, known: Architecture) -> str:
    names = ", ".join(f"`{id}`" for id in entry.ids)
    cells = [names, known.layers, known.width, known.heads]
    if known.modality == "text":
        cells += [known.max_tokens, known.vocabulary]
    else:
        cells += [known.image_size, known.patch, known.prefix_tokens]
    return "| " + " | ".join("-" if cell is None else str(cell) for cell in cells) + " |"


def _of_timm() -> str:
    """Return how many models of each family timm has."""
    counts: defaultdict[str, int] = defaultdict(int)
    for name in timm_names():
        counts[name.partition("_")[0].rstrip("0123456789")] += 1
    listed = ", ".join(f"{family} {count}" for family, count in sorted(counts.items()) if count > 4)
    return f"{len(timm_names())} models, each with its tags of weights: {listed} and others."
