"""What a pass through a model computes, operation by operation, without computing it.

The model stands on torch's meta device, where tensors have shapes and no contents. Backward work
follows from the forward operations: a product costs as much again for each of its two factors that
needs a gradient, if its result reaches a loss. Memory follows from running the backward pass too.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_flop_count

from renaissance.compiler.addresses import parameter_addresses
from renaissance.compiler.backbones.trial import first_line
from renaissance.compiler.errors import CompileError
from renaissance.compiler.lowering.plainness import only_looks
from renaissance.compiler.lowering.recomputation import surrounded
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.planning.allocation import Allocation
from renaissance.compiler.planning.passes import Outcome

aten = torch.ops.aten

_FACTORS: Mapping[Any, tuple[int, int]] = {
    aten.mm: (0, 1),
    aten.addmm: (1, 2),
    aten.bmm: (0, 1),
    aten.baddbmm: (1, 2),
    aten.convolution: (0, 1),
}
"""Which arguments of an operation are the factors of its product."""

_CPU_ATTENTION: Mapping[Any, int] = {
    aten._scaled_dot_product_flash_attention_for_cpu: 4,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: 10,
}
"""Fused attention that torch's counter does not know: operations for each multiply-add of one of
its products; the backward pass computes the scores again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A matrix product, convolution or attention.

    Attributes:
        address: of the component that computes it.
        forward: floating-point operations, two for a multiply-add.
        to_inputs: the same for the gradients of what goes in.
        to_weights: the same for the gradients of weights.
        recomputed: the same where the backward pass computes once more what the forward pass did.
    """

    address: str
    forward: int = 0
    to_inputs: int = 0
    to_weights: int = 0
    recomputed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """One operation as a device would run it.

    Attributes:
        flops: of its products, those of recomputed scores included; 0 for anything else.
        bytes: read and written.
        lowered: whether its operands are in a type of half the size.
    """

    flops: int
    bytes: int
    lowered: bool


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
    """A traced pass.

    Attributes:
        operations: of the forward pass, with what they cost backward.
        passages: what went through each component, by address.
        kernels: of the forward pass, and of the backward pass where it was run.
        activations: bytes that the forward pass leaves.
        peak: most bytes that live at one time, weights, averages and what is held aside.
    """

    operations: tuple[Operation, ...]
    passages: Mapping[str, Passage]
    kernels: tuple[Kernel, ...]
    activations: int
    peak: int


def trace(
    model: VisionLanguageModel,
    run: Callable[[], Outcome],
    *,
    held: Iterable[Tensor] = (),
    backward: bool,
    substitution: TorchFunctionMode,
) -> Trace:
    """Record what a pass computes.

    Args:
        model: on the meta device, with gradients as they are to be.
        run: makes the forward pass.
        held: tensors that are there before the pass and after it, so they are not counted.
        backward: also run the backward pass; gradients stay with the parameters.
        substitution: what the device runs where the meta device would run something else.
    """
    recorder = _Recorder(model, held)
    with recorder, recorder.hooks():
        with surrounded(lambda: recorder.again(substitution)), substitution:
            outcome = _run(model, run)
        live = _reachable(outcome.results)
        activations = recorder.allocation.live
        learning = [result for result in outcome.results if result.requires_grad]
        if backward and learning:
            torch.autograd.backward(learning, [torch.empty_like(part) for part in learning])
    operations = tuple(
        Operation(
            address=product.address,
            forward=product.flops,
            to_inputs=product.to_inputs if product.node in live else 0,
            to_weights=product.to_weights if product.node in live else 0,
        )
        for product in recorder.products
    )
    return Trace(
        operations=operations + tuple(recorder.repeated),
        passages=recorder.passages(),
        kernels=tuple(recorder.kernels),
        activations=activations,
        peak=recorder.allocation.peak,
    )


def _run(model: VisionLanguageModel, run: Callable[[], Outcome]) -> Outcome:
    """Make a pass; an encoder that looks at its numbers, as quantised ones do, makes none here."""
    try:
        return run()
    except AssertionError as error:
        raise CompileError(
            f"`{model.name}` cannot be planned: what it computes depends on its numbers, and here "
            f"are none ({first_line(error)})"
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Product:
    """A product of the forward pass, and the number of its node in autograd's graph."""

    address: str
    flops: int
    to_inputs: int
    to_weights: int
    node: int


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes operations as they are dispatched, and which component is running."""

    def __init__(self, model: VisionLanguageModel, held: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.model = model
        self.addresses = _module_addresses(model)
        self.stack: list[str] = [""]
        self.products: list[_Product] = []
        self.repeated: list[Operation] = []
        self.repeating = False
        self.kernels: list[Kernel] = []
        self.allocation = Allocation([*model.parameters(), *model.buffers(), *held])
        self.first: dict[str, tuple[tuple[int, ...], bool]] = {}
        self.without: set[str] = set()
        self.last: dict[str, tuple[int, ...]] = {}
        self.weights = {id(part.untyped_storage()) for part in model.parameters()}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        self.allocation.note(result)
        operator = func._overloadpacket
        flops = _flops(operator, args, kwargs, result)
        if flops and self.repeating:
            self.repeated.append(Operation(address=self.stack[-1], recomputed=flops))
        elif flops and torch._C._current_autograd_node() is None:
            self._product(operator, args, flops)
        if operator in (aten._to_copy, aten.cat) and self._all_weights(args):
            # Weights that were cast or joined are weights, for as long as the result lives.
            storage = result.untyped_storage()
            self.weights.add(id(storage))
            weakref.finalize(storage, self.weights.discard, id(storage)).atexit = False
        if not func.is_view and operator not in _FREE:
            self.kernels.append(_kernel(flops, (args, kwargs, result)))
        return result

    def _all_weights(self, args: tuple[Any, ...]) -> bool:
        tensors = [part for part in pytree.tree_leaves(args) if isinstance(part, Tensor)]
        return all(id(part.untyped_storage()) in self.weights for part in tensors)

    @contextmanager
    def hooks(self) -> Iterator[None]:
        with ExitStack() as handles:
            for path, module in self.model.named_modules():
                address = self.addresses[path]
                enter, leave = self._hooks_of(address)
                for handle in (
                    module.register_forward_pre_hook(only_looks(enter), with_kwargs=True),
                    module.register_forward_hook(only_looks(leave)),
                ):
                    handles.callback(handle.remove)
            yield

    @contextmanager
    def _once_more(self, address: str, substitution: TorchFunctionMode) -> Iterator[None]:
        """Note operations as repeated ones of a component."""
        depth = len(self.stack)
        self.stack.append(address)
        self.repeating = True
        try:
            with substitution:
                yield
        finally:
            # A second run ends as soon as everything is there again, anywhere in a component.
            self.repeating = False
            del self.stack[depth:]

    def again(self, substitution: TorchFunctionMode) -> AbstractContextManager[None]:
        """Return what a second run of the component that runs now stands in."""
        return self._once_more(self.stack[-1], substitution)

    def passages(self) -> dict[str, Passage]:
        return {
            address: Passage(input=shape, output=self.last[address], gradient=gradient)
            for address, (shape, gradient) in self.first.items()
            if address in self.last
        }

    def _product(self, operator: Any, args: tuple[Any, ...], flops: int) -> None:
        to_inputs = to_weights = 0
        if torch.is_grad_enabled() and operator in _FACTORS:
            for index in _FACTORS[operator]:
                if id(args[index].untyped_storage()) in self.weights:
                    to_weights += flops * args[index].requires_grad
                else:
                    to_inputs += flops * args[index].requires_grad
        elif torch.is_grad_enabled():
            # Attention is two products: scores of queries and keys, and sums of values.
            query, key, value = (part.requires_grad for part in args[:3])
            to_inputs = flops // 2 * (query + key + (query or key) + value)
        self.products.append(
            _Product(
                address=self.stack[-1],
                flops=flops,
                to_inputs=to_inputs,
                to_weights=to_weights,
                # The node that autograd made for this operation is the latest one.
                node=torch.autograd._get_sequence_nr() - 1,  # type: ignore[attr-defined]
            )
        )

    def _hooks_of(self, address: str) -> tuple[Callable[..., None], Callable[..., None]]:
        outermost = [False]

        def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
            outermost[0] = self.stack[-1] != address
            self.stack.append(address)
            tensors = list(_tensors((args, kwargs)))
            # A run for vectors alone, without autograd, does not say what learns before it.
            unknown = address not in self.first or (
                address in self.without and torch.is_grad_enabled()
            )
            if outermost[0] and tensors and unknown:
                gradient = any(tensor.requires_grad for tensor in tensors)
                self.first[address] = (tuple(tensors[0].shape[1:]), gradient)
                keeping = self.without.discard if torch.is_grad_enabled() else self.without.add
                keeping(address)

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


def _reachable(results: Iterable[Tensor]) -> set[int]:
    """Return the numbers of the nodes of autograd's graph that lead to any of the results."""
    waiting = [result.grad_fn for result in results if result.grad_fn is not None]
    seen: set[Any] = set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        waiting += [parent for parent, _ in node.next_functions if parent is not None]
    return {node._sequence_nr() for node in seen}


_FREE = frozenset({aten.empty, aten.empty_like, aten.new_empty, aten.empty_strided, aten.detach})
"""Operations that neither read nor write."""


def _flops(operator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> int:
    """Return the operations of products, as torch counts them."""
    if operator in _CPU_ATTENTION:
        backward = operator is not aten._scaled_dot_product_flash_attention_for_cpu
        query, key, value = args[1:4] if backward else args[:3]
        whole: int = sdpa_flop_count(query.shape, key.shape, value.shape)  # type: ignore[no-untyped-call]
        return whole // 4 * _CPU_ATTENTION[operator]
    if operator not in flop_registry:
        return 0
    return int(flop_registry[operator](*args, **kwargs, out_val=result))


def _kernel(flops: int, touched: Any) -> Kernel:
    tensors = [part for part in pytree.tree_leaves(touched) if isinstance(part, Tensor)]
    return Kernel(
        flops=flops,
        bytes=sum(part.numel() * part.element_size() for part in tensors),
        lowered=any(part.element_size() == 2 for part in tensors),
    )
