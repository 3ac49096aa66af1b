"""The optimizer over the parameters that learn, in groups by kind and by component address."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from renaissance.compiler.addresses import ParameterAddress, parameter_addresses
from renaissance.compiler.errors import FreezeError
from renaissance.compiler.layer_decay import decay_factors
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.selectors import select
from renaissance.grammar.anatomy.selectors import specificity
from renaissance.grammar.kinds.optimizer import OptimizerBlock
from renaissance.grammar.kinds.registry import facet
from renaissance.runtime.errors import CheckpointError, JobError
from renaissance.runtime.training.sharding import split_like

DECAYED = frozenset({"weight", "embedding"})
"""Kinds of parameters that weight decay pulls to zero; not norms, biases, positions, tokens."""


class Optimization:
    """The optimizer of a job; knows its parameters by name.

    Args:
        model: whose parameters learn; those that take no gradient yet join by `extend`.
        settings: of the optimizer.
        scale_lr: factor on the learning rate by component address, as `freeze` reads them; of
            several that reach a parameter the one with the most parts counts.
        decay_lr: factor from one layer to the one below, by root; both factors are multiplied.

    Raises:
        JobError: if an address of `scale_lr` reaches no parameter.
    """

    def __init__(
        self,
        model: VisionLanguageModel,
        settings: OptimizerBlock,
        scale_lr: Mapping[str, float],
        decay_lr: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        """Put everything that learns now into groups."""
        self._model = model
        self._settings = settings
        self._kind = facet(settings, "optimizer")
        self._addresses = parameter_addresses(model)
        self._factors = _factors(model, self._addresses, scale_lr)
        for name, factor in decay_factors(model, self._addresses, decay_lr).items():
            self._factors[name] *= factor
        self._names: dict[str, nn.Parameter] = {}
        self._parameters: list[nn.Parameter] = []
        self.torch: torch.optim.Optimizer | None = None
        self.extend()

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The parameters that learn, in the order of the model whatever joined when."""
        return self._parameters

    @property
    def names(self) -> Mapping[str, nn.Parameter]:
        """The parameters that learn, by name."""
        return self._names

    def extend(self) -> tuple[str, ...]:
        """Add parameters that take a gradient and are not held yet; return their names."""
        added = {
            name: parameter
            for name, parameter in self._model.named_parameters()
            if parameter.requires_grad and name not in self._names
        }
        groups: dict[tuple[bool, float], list[nn.Parameter]] = {}
        for name, parameter in added.items():
            groups.setdefault((self._decays(name), self._factors[name]), []).append(parameter)
        for (decays, factor), parameters in groups.items():
            options = self._kind.group(self._settings, parameters, decays=decays)
            self._add({**options, "factor": factor, "lr": 0.0})
        self._names |= added
        self._parameters = [p for n, p in self._model.named_parameters() if n in self._names]
        return tuple(added)

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the next step, before factors by address."""
        if self.torch is not None:
            for group in self.torch.param_groups:
                group["lr"] = rate * group["factor"]

    def clear(self) -> None:
        """Forget all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def state(self) -> dict[str, Tensor]:
        """Return running averages and step counts as `name/field`."""
        if self.torch is None:
            return {}
        return {
            f"{name}/{field}": value
            for name, parameter in self._names.items()
            for field, value in self.torch.state.get(parameter, {}).items()
        }

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take up what `state` returned.

        Raises:
            CheckpointError: if it belongs to parameters that do not learn here.
        """
        for key, value in state.items():
            name, _, field = key.rpartition("/")
            parameter = self._names.get(name)
            if parameter is None or self.torch is None:
                raise CheckpointError(
                    f"the optimizer's state has `{name}`, which does not learn at this step"
                )
            if value.dim() and value.shape != parameter.shape:
                raise CheckpointError(
                    f"the optimizer's state of `{name}` has shape {list(value.shape)}, "
                    f"the parameter has {list(parameter.shape)}"
                )
            self.torch.state[parameter][field] = split_like(value, parameter)

    def _decays(self, name: str) -> bool:
        return self._addresses[name].kind in DECAYED

    def _add(self, group: dict[str, object]) -> None:
        if self.torch is None:
            self.torch = self._kind.build(self._settings, [group])
        else:
            self.torch.add_param_group(group)


def _factors(
    model: VisionLanguageModel,
    addresses: Mapping[str, ParameterAddress],
    scale_lr: Mapping[str, float],
) -> dict[str, float]:
    """Return the factor of every parameter; the selector with the most parts decides.

    Of two with as many parts, which a check refuses, the order in which they stand decides nothing.
    """
    factors = dict.fromkeys(addresses, 1.0)
    for selector in sorted(scale_lr, key=lambda text: (specificity(text), text)):
        try:
            names = select(selector, addresses, model.name)
        except FreezeError:
            roots = dict.fromkeys(place.address.split(".")[0] for place in addresses.values())
            raise JobError(
                f"`scale_lr` has `{selector}`, which matches nothing in model `{model.name}`; "
                f"components are {', '.join(f'`{root}`' for root in roots)}"
            ) from None
        factors.update(dict.fromkeys(names, scale_lr[selector]))
    return factors
