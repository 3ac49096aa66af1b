"""What a pass through a model computes, operation by operation, without computing it.

The model stands on torch's meta device, where tensors have shapes and no contents. Backward work
follows from the forward operations: a product costs as much again for each of its two factors that
needs a gradient, if its result reaches a loss.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from renaissance.compiler.addresses import parameter_addresses
from renaissance.compiler.model import VisionLanguageModel

_FACTORS: Mapping[Any, tuple[int, int]] = {
    torch.ops.aten.mm: (0, 1),
    torch.ops.aten.addmm: (1, 2),
    torch.ops.aten.bmm: (0, 1),
    torch.ops.aten.baddbmm: (1, 2),
    torch.ops.aten.convolution: (0, 1),
}
"""Which arguments of an operation are the factors of its product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A matrix product or convolution.

    Attributes:
        address: of the component that computes it.
        forward: floating-point operations, two for a multiply-add.
        backward: the same for the gradients that it has to give.
    """

    address: str
    forward: int
    backward: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What went through a component the first time that it was called.

    Attributes:
        input: shape of its first input, without rows.
        output: shape of its output, without rows.
        gradient: whether an input needs a gradient, so something before it learns.
    """

    input: tuple[int, ...]
    output: tuple[int, ...]
    gradient: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A traced pass: its operations, and what went through each component by address."""

    operations: tuple[Operation, ...]
    passages: Mapping[str, Passage]


def trace(model: VisionLanguageModel, run: Callable[[], Iterable[Tensor]]) -> Trace:
    """Record what a pass computes.

    Args:
        model: on the meta device, with gradients as they are to be.
        run: makes the pass and returns what losses are computed from.
    """
    recorder = _Recorder(model)
    with recorder.hooks(), sdpa_kernel(SDPBackend.MATH), recorder:
        results = list(run())
    live = _reachable(results)
    operations = tuple(
        Operation(
            address=address,
            forward=flops,
            backward=flops * factors if result.grad_fn in live else 0,
        )
        for address, flops, factors, result in recorder.products
    )
    return Trace(operations=operations, passages=recorder.passages())


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes products as they are dispatched, and which component is running."""

    def __init__(self, model: VisionLanguageModel) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.model = model
        self.addresses = _module_addresses(model)
        self.stack: list[str] = [""]
        self.products: list[tuple[str, int, int, Tensor]] = []
        self.first: dict[str, tuple[tuple[int, ...], bool]] = {}
        self.last: dict[str, tuple[int, ...]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        operator = func._overloadpacket
        if operator in _FACTORS:
            flops = flop_registry[operator](*args, **(kwargs or {}), out_val=result)
            needing = sum(args[index].requires_grad for index in _FACTORS[operator])
            self.products.append((self.stack[-1], flops, needing, result))
        return result

    @contextmanager
    def hooks(self) -> Iterator[None]:
        with ExitStack() as handles:
            for path, module in self.model.named_modules():
                address = self.addresses[path]
                enter, leave = self._hooks_of(address)
                for handle in (
                    module.register_forward_pre_hook(enter, with_kwargs=True),
                    module.register_forward_hook(leave),
                ):
                    handles.callback(handle.remove)
            yield

    def passages(self) -> dict[str, Passage]:
        return {
            address: Passage(input=shape, output=self.last[address], gradient=gradient)
            for address, (shape, gradient) in self.first.items()
            if address in self.last
        }

    def _hooks_of(self, address: str) -> tuple[Callable[..., None], Callable[..., None]]:
        outermost = [False]

        def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
            outermost[0] = self.stack[-1] != address
            self.stack.append(address)
            tensors = list(_tensors((args, kwargs)))
            if outermost[0] and tensors and address not in self.first:
                gradient = any(tensor.requires_grad for tensor in tensors)
                self.first[address] = (tuple(tensors[0].shape[1:]), gradient)

        def leave(module: nn.Module, args: Any, result: Any) -> None:
            self.stack.pop()
            found = next(_tensors(result), None)
            if outermost[0] and found is not None:
                self.last[address] = tuple(found.shape[1:])

        return enter, leave


def _module_addresses(model: VisionLanguageModel) -> dict[str, str]:
    """Return the component of each module: what the addresses of all its parameters share."""
    shared: dict[str, list[str]] = {}
    for name, entry in parameter_addresses(model).items():
        segments = entry.address.split(".")
        path = name
        while path:
            path = path.rpartition(".")[0]
            known = shared.get(path)
            shared[path] = segments if known is None else _common(known, segments)
    addresses = {}
    for path, _ in model.named_modules():
        owner = path
        # A module without parameters belongs to the nearest one that has some.
        while owner and owner not in shared:
            owner = owner.rpartition(".")[0]
        addresses[path] = ".".join(shared.get(owner, []))
    return addresses


def _common(one: list[str], other: list[str]) -> list[str]:
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return one[:length]


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _tensors(part)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _tensors(getattr(value, field.name))


def _reachable(results: Iterable[Tensor]) -> set[Any]:
    """Return the nodes of autograd's graph that lead to any of the results."""
    waiting = [result.grad_fn for result in results if result.grad_fn is not None]
    found: set[Any] = set()
    while waiting:
        node = waiting.pop()
        if node in found:
            continue
        found.add(node)
        waiting += [parent for parent, _ in node.next_functions if parent is not None]
    return found
