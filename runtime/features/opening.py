"""Deciding at the start of a job whether features are kept, and where."""

from dataclasses import dataclass

import torch
from torch import Tensor

from renaissance.compiler.assembly import assemble
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.planning.caching import MARGIN, Caching, caching
from renaissance.grammar.checks.caching import cached_streams
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.caches import cache_folder
from renaissance.runtime.data import JobData
from renaissance.runtime.features.content import ImageContents
from renaissance.runtime.features.folder import used_bytes
from renaissance.runtime.features.identity import feature_key, probe
from renaissance.runtime.features.keeping import Keeper, Tell
from renaissance.runtime.features.known import KnownFeatures
from renaissance.runtime.features.store import FeatureStore
from renaissance.runtime.features.tower import KnownTower
from renaissance.runtime.precision import Precision
from renaissance.runtime.processes import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The features of a job's vision tower on disk.

    Attributes:
        stream: name of the tower.
        tower: encodes what is missing.
        store: where features are.
        keeper: adds to them.
    """

    stream: str
    tower: KnownTower
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
            f"{kept:,.0f} newly kept; {len(self.store):,} images in `{self.store.folder}`, "
            f"{used_bytes(root) / 1024**2:,.1f} MiB with those of other towers"
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
) -> Kept | None:
    """Open the features of a job's frozen vision tower, and let its batches use them.

    Args:
        spec: the whole experiment.
        name: of the job.
        model: on its device, with the weights and the modes of the job.
        data: of the job.
        precision: of its forward pass.
        processes: that share the job; all come here together.
        tell: is told, in a sentence, what a person should know.

    Returns:
        None where nothing is kept.
    """
    predicted = _predicted(spec, name)
    if predicted is None:
        return None
    device = processes.device
    images, views = _extent(spec, name, data, predicted)
    refusal = predicted.refusal(device.type, images=images, views=views)
    if refusal is not None:
        # Whoever asked for it is told, and whoever would gain.
        gains = predicted.obstacle is None and predicted.gain(device.type) >= MARGIN
        if gains or predicted.mode is True:
            tell(f"features of `{predicted.stream}` are not kept: {refusal}")
        return None
    stream = predicted.stream

    def encode(pixels: Tensor) -> Tensor:
        return model.encode(stream, pixels).tokens

    with precision.forward():
        probed = probe(encode, data.image_needs.size, device)
    key = feature_key(model.towers[stream], data.image_needs, probed)
    keeper, problem = _keeper(key, predicted.limit, tell)
    if processes.sums([float(keeper is None)])[0]:
        tell(f"features of `{stream}` are not kept: {problem or 'another process cannot do so'}")
        return None
    assert keeper is not None
    root = cache_folder("features")
    _, tokens, width = probed.shape
    store = FeatureStore(root / key, (tokens, width), probed.dtype)
    data.use_features(KnownFeatures(ImageContents(root, predicted.limit), store))
    return Kept(stream=stream, tower=KnownTower(encode, store, keeper), store=store, keeper=keeper)


def _predicted(spec: Spec, name: str) -> Caching | None:
    declared, training = spec.model_of(name), spec.training_job(name)
    if not any(cached_streams(directive, declared.streams) for directive in declared.freeze):
        return None
    with torch.device("meta"):
        built = assemble(declared, training, weights=False)
    augmented = training.augment != "none" and not isinstance(spec.jobs[name], Evaluate)
    return caching(built, declared, precision=training.precision, augmented=augmented)


def _extent(
    spec: Spec, name: str, data: JobData, predicted: Caching
) -> tuple[int | None, float | None]:
    """Return how many images a job has, and how often it looks at each; None if that is moot."""
    job = spec.jobs[name]
    if predicted.mode is True or predicted.obstacle is not None:
        return None, None
    if isinstance(job, Evaluate):
        return len(data.part(job.split).images), 1.0
    train, validation = data.part("train"), data.part("validation")
    views = data.total_steps * job.batch / max(len(train.images), 1)
    return len(train.images) + len(validation.images), views


def _keeper(key: str, limit: int, tell: Tell) -> tuple[Keeper | None, str]:
    """Return what adds features, or why nothing can."""
    try:
        return Keeper(cache_folder("features"), key, limit, tell), ""
    except OSError as problem:
        place = problem.filename or "the disk"
        return None, f"`{place}` cannot be written to ({(problem.strerror or '').lower()})"
