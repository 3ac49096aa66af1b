"""Deciding at the start of a job whether features are kept, and where."""

from dataclasses import dataclass

import torch
from torch import Tensor

from renaissance.compiler.amounts import in_bytes
from renaissance.compiler.assembly import assemble
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.planning.benefit import MARGIN, Caching
from renaissance.compiler.planning.caching import caching
from renaissance.grammar.checks.caching import kept_streams
from renaissance.grammar.kinds.source import Modality, modality
from renaissance.grammar.schema.jobs import Evaluate, Job
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.caches import cache_folder
from renaissance.runtime.data import JobData
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.workers import workers_of
from renaissance.runtime.feature_cache.content import ImageContents
from renaissance.runtime.feature_cache.folder import used_bytes
from renaissance.runtime.feature_cache.identity import feature_key, probe_images, probe_texts
from renaissance.runtime.feature_cache.keeping import Keeper, Tell
from renaissance.runtime.feature_cache.known import KnownImages, KnownTexts
from renaissance.runtime.feature_cache.store import FeatureStore
from renaissance.runtime.feature_cache.tower import KnownImageTower, KnownTextTower
from renaissance.runtime.precision import Precision
from renaissance.runtime.processes import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The features of one of a job's towers on disk.

    Attributes:
        stream: name of the tower.
        inputs: what it reads, in a word.
        tower: encodes what is missing.
        store: where features are.
        keeper: adds to them.
    """

    stream: str
    inputs: str
    tower: KnownImageTower | KnownTextTower
    store: FeatureStore
    keeper: Keeper

    def sentence(self, processes: Processes) -> str:
        """Say how many features were read and computed; all processes come here together."""
        tower = self.tower
        read, computed, kept = processes.sums([tower.read, tower.computed, tower.kept])
        self.store.refresh()
        root = self.store.folder.parent
        return (
            f"features of `{self.stream}`: read {read:,.0f} times, computed {computed:,.0f} times, "
            f"{kept:,.0f} newly kept; {len(self.store):,} {self.inputs} in `{self.store.folder}`, "
            f"{in_bytes(used_bytes(root))} with those of other towers"
        )


def kept_features(
    spec: Spec,
    name: str,
    model: VisionLanguageModel,
    data: JobData,
    *,
    precision: Precision,
    processes: Processes,
    tell: Tell,
) -> tuple[Kept, ...]:
    """Open the features of a job's frozen towers, and let its batches use them.

    Args:
        spec: the whole experiment.
        name: of the job.
        model: on its device, with the weights and the modes of the job.
        data: of the job.
        precision: of its forward pass.
        processes: that share the job; all come here together.
        tell: is told, in a sentence, what a person should know.

    Returns:
        One for each tower whose features are kept.
    """
    device = processes.device
    found: list[Kept] = []
    images, texts = None, None
    for predicted in _predicted(spec, name, data):
        workers = workers_of(spec.training_job(name).workers, device, processes.ranks, 1)
        refusal = _refusal(predicted, spec, name, data, device, workers)
        if refusal is None and model.towers[predicted.stream].facts.mixes:
            refusal = "what it makes of a text depends on the texts beside it"
        if refusal is not None:
            # Whoever asked for it is told, and whoever would gain.
            gains = predicted.obstacle is None and predicted.gain(device.type, workers) >= MARGIN
            if gains or predicted.mode is True:
                tell(f"features of `{predicted.stream}` are not kept: {refusal}")
            continue
        kept = _opened(predicted, model, data, precision, processes, tell)
        if kept is None:
            continue
        found.append(kept)
        if predicted.modality == "text":
            texts = KnownTexts(kept.store)
        else:
            root = kept.store.folder.parent
            images = KnownImages(ImageContents(root, predicted.limit), kept.store)
    if found:
        data.use_features(images, texts)
    return tuple(found)


def _predicted(spec: Spec, name: str, data: JobData) -> tuple[Caching, ...]:
    job, declared, training = spec.jobs[name], spec.model_of(name), spec.training_job(name)
    names = [stream for _, stream in kept_streams(declared)]
    if not names:
        return ()
    with torch.device("meta"):
        built = assemble(declared, training, weights=False)
    tokens = None
    if any(modality(declared.streams[name]) == "text" for name in names):
        tokens = data.mean_tokens(_main_split(job))
    return caching(built, declared, job=job, training=training, tokens=tokens)


def _refusal(
    predicted: Caching,
    spec: Spec,
    name: str,
    data: JobData,
    device: torch.device,
    workers: int,
) -> str | None:
    """Say why features are not kept; None where they are."""
    refusal = predicted.refusal(device.type, workers=workers)
    if predicted.mode is True or refusal is not None:
        return refusal
    job, main = spec.jobs[name], data.part(_main_split(spec.jobs[name]))
    inputs = _distinct(main, predicted.modality)
    if not isinstance(job, Evaluate):
        views = data.total_steps * job.batch / max(inputs, 1)
        inputs += _distinct(data.part("validation"), predicted.modality)
    elif predicted.modality == "text":
        views = len(main) / max(inputs, 1)
    else:
        # The texts about an image stand together and share a batch.
        views = 1.0
    return predicted.refusal(device.type, workers=workers, inputs=inputs, views=views)


def _main_split(job: Job) -> str:
    return job.split if isinstance(job, Evaluate) else "train"


def _distinct(part: Part, kind: Modality) -> int:
    return len(part.images) if kind == "vision" else part.distinct_texts


def _opened(
    predicted: Caching,
    model: VisionLanguageModel,
    data: JobData,
    precision: Precision,
    processes: Processes,
    tell: Tell,
) -> Kept | None:
    """Open the features of one tower; None, and a sentence to `tell`, where that fails."""
    stream, tower = predicted.stream, model.towers[predicted.stream]

    def encode(inputs: Tensor | TextInput) -> Tensor:
        return model.encode(stream, inputs).tokens

    of_images = predicted.modality == "vision"
    longest = tower.facts.max_tokens or 0
    with precision.forward():
        if of_images:
            probed = probe_images(encode, data.image_needs.largest, processes.device)
        else:
            probed = probe_texts(encode, tower.facts.vocabulary or 1, longest, processes.device)
    key = feature_key(tower, probed, data.image_needs.origin if of_images else ())
    keeper, problem = _keeper(key, predicted.limit, tell)
    if processes.sums([float(keeper is None)])[0]:
        tell(f"features of `{stream}` are not kept: {problem or 'another process cannot do so'}")
        return None
    assert keeper is not None
    store = FeatureStore(cache_folder("features") / key, probed.shape[-1], probed.dtype)
    known: KnownImageTower | KnownTextTower = (
        KnownImageTower(encode, store, keeper)
        if of_images
        else KnownTextTower(encode, longest, store, keeper)
    )
    return Kept(stream=stream, inputs=predicted.inputs, tower=known, store=store, keeper=keeper)


def _keeper(key: str, limit: int, tell: Tell) -> tuple[Keeper | None, str]:
    """Return what adds features, or why nothing can."""
    try:
        return Keeper(cache_folder("features"), key, limit, tell), ""
    except OSError as problem:
        place = problem.filename or "the disk"
        return None, f"`{place}` cannot be written to ({(problem.strerror or '').lower()})"
