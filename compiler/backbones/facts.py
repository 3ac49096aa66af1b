"""What data and checkpoints need to know about a stream."""

from collections.abc import Mapping

from renaissance.compiler.backbones.hub import look_for_hub
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.model.tower import BackboneReference, Tower
from renaissance.grammar.architectures import CLIP, HALF, IMAGENET, Statistics
from renaissance.grammar.catalogue import find
from renaissance.grammar.encoder_folder import library_of, read_folder
from renaissance.grammar.kinds.source import SourceBlock, modality
from renaissance.grammar.paths import is_folder

NAMED: Mapping[str, Statistics] = {"half": HALF, "imagenet": IMAGENET, "clip": CLIP}


def normalisation(stream: SourceBlock) -> Statistics:
    """Return mean and standard deviation of each colour that a vision stream is given.

    They are those that `normalise` names, or else those that the encoder states.

    Raises:
        BackboneError: if it reads text, or nothing is known about it.
    """
    if modality(stream) != "vision":
        raise BackboneError("a text stream has no pixels to normalise")
    named = NAMED.get(getattr(stream, "normalise", "encoder"))
    return _encoders(stream) if named is None else named


def _encoders(stream: SourceBlock) -> Statistics:
    """Return what an encoder states; what has no published weights takes halves."""
    id = stream.weights_of or stream.identifier
    if id is None:
        return HALF
    known = find(id)
    if known is None and is_folder(id):
        known = read_folder(id)
    if known is not None and known.statistics is not None:
        return known.statistics
    if stream.library == "timm" or (stream.library is None and is_timm(id)):
        return _timm_statistics(id)
    return _hub_statistics(id, stream.hub_revision)


def reference(tower: Tower) -> BackboneReference | None:
    """Return where a tower's pretrained weights came from; None where it has none."""
    return tower.reference


def is_timm(id: str) -> bool:
    """Return whether an id of `random` names a model of timm rather than of transformers."""
    known = find(id)
    if known is not None:
        return known.library == "timm"
    if is_folder(id):
        return library_of(id) == "timm"
    import timm

    return bool(timm.is_model(id))


def _timm_statistics(name: str) -> Statistics:
    import timm

    published = timm.get_pretrained_cfg(name.removeprefix("hf-hub:").removeprefix("timm/"))
    if published is None:
        raise BackboneError(f"timm states no statistics of the pixels that `{name}` expects")
    return tuple(published.mean), tuple(published.std)  # type: ignore[return-value]


def _hub_statistics(id: str, revision: str) -> Statistics:
    from transformers import AutoImageProcessor

    from renaissance.compiler.backbones.configurations import configuration

    look_for_hub()
    try:
        processor = AutoImageProcessor.from_pretrained(id, revision=revision)  # type: ignore[no-untyped-call]
    except (OSError, ValueError):
        configuration(id, revision, id)
        return HALF
    return tuple(processor.image_mean), tuple(processor.image_std)
