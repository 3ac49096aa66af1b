"""The contract of `freeze`: what does not learn is, bit for bit, what it was at the start."""

from collections.abc import Collection, Iterable

from torch import nn

from renaissance.compiler.backbones.content import tensor_hash
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.names import FEW, listing
from renaissance.runtime.errors import FrozenChangedError


class FrozenContract:
    """The hashes of frozen parameters, and of the buffers beside them, since the job began.

    Args:
        model: whose tensors are watched.
        hashes: by name, as a checkpoint kept them; None takes them now.
    """

    def __init__(self, model: VisionLanguageModel, hashes: dict[str, str] | None = None) -> None:
        """Remember what the frozen tensors are."""
        self._model = model
        self.hashes = _hashes(model) if hashes is None else hashes
        self._held = self.hashes

    def hold(self, names: Collection[str]) -> None:
        """Take note that tensors are held in another type than that of their hashes."""
        tensors = dict(self._model.named_parameters())
        self._held = self.hashes | {name: tensor_hash(tensors[name]) for name in names}

    def release(self) -> None:
        """Forget what has begun to learn."""
        frozen = set(frozen_names(self._model))
        self.hashes = {name: value for name, value in self.hashes.items() if name in frozen}
        self._held = {name: value for name, value in self._held.items() if name in frozen}

    @property
    def sentences(self) -> tuple[str, ...]:
        """Say what the last comparison has found; nothing where nothing is frozen."""
        if not self.hashes:
            return ()
        one = len(self.hashes) == 1
        were = "tensor is what it was" if one else "tensors are what they were"
        return (f"{len(self.hashes)} frozen {were} at the start of the job, bit for bit",)

    def check(self, when: str) -> None:
        """Compare with the present.

        Args:
            when: for the message, such as `at step 100`.

        Raises:
            FrozenChangedError: if a tensor has changed.
        """
        now = _hashes(self._model)
        changed = [name for name, value in self._held.items() if now.get(name) != value]
        if changed:
            raise FrozenChangedError(
                f"{when} {len(changed)} frozen tensor{'s are' if len(changed) > 1 else ' is'} not "
                f"what {'they were' if len(changed) > 1 else 'it was'} at the start of the job: "
                f"{listing(changed, most=FEW)}"
            )


def frozen_names(model: VisionLanguageModel) -> tuple[str, ...]:
    """Return the frozen parameters, and the buffers of modules that have only frozen ones."""
    names = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    for path, module in model.named_modules():
        own = list(module.parameters(recurse=False))
        if own and not any(parameter.requires_grad for parameter in own):
            names += [f"{path}.{name}" for name in _persistent(module)]
    return tuple(names)


def _persistent(module: nn.Module) -> Iterable[str]:
    return [
        name
        for name, _ in module.named_buffers(recurse=False)
        if name not in module._non_persistent_buffers_set
    ]


def _hashes(model: VisionLanguageModel) -> dict[str, str]:
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {name: tensor_hash(tensors[name]) for name in frozen_names(model)}
