"""What a launch needs besides tensors and numbers, kept by everything that it follows from.

Triton binds, specialises and looks up a kernel whenever it is called, which takes the host longer
than all the rest of a launch. So what it compiled is kept here by the few facts that decide it, and
is launched directly: no argument of a kernel is specialised but by them.

Imported only where Triton runs.
"""

from dataclasses import dataclass, field
from typing import Any

import triton
from triton import knobs
from triton.runtime import driver

from renaissance.compiler.kernels import configurations
from renaissance.compiler.kernels.availability import architecture, interpreting
from renaissance.compiler.kernels.bias_gradient import bias_gradient_kernel
from renaissance.compiler.kernels.call import Call
from renaissance.compiler.kernels.configurations import Configuration, Kernel
from renaissance.compiler.kernels.forward import forward_kernel
from renaissance.compiler.kernels.key_gradient import key_gradient_kernel
from renaissance.compiler.kernels.query_gradient import query_gradient_kernel
from renaissance.compiler.kernels.short import short_backward_kernel

FUNCTIONS: dict[Kernel, Any] = {
    "forward": forward_kernel,
    "narrow_forward": forward_kernel,
    "short_forward": forward_kernel,
    "query_gradient": query_gradient_kernel,
    "key_gradient": key_gradient_kernel,
    "bias_gradient": bias_gradient_kernel,
    "short_backward": short_backward_kernel,
}
LARGEST = 2**31
"""From here on a number is passed in 64 bits, which makes another kernel."""


@dataclass(slots=True, kw_only=True)
class Plan:
    """One kernel with everything that is fixed when it is compiled.

    Attributes:
        function: the kernel as it is written.
        configuration: its tiles, warps and stages.
        constants: its compile-time arguments, in the order of its signature.
        compiled: what Triton made of it, once it has been launched on a GPU.
    """

    function: Any
    configuration: Configuration
    constants: dict[str, Any]
    compiled: Any = None
    values: tuple[Any, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Keep the constants as a launcher takes them, behind all other arguments."""
        self.values = tuple(self.constants.values())

    def launch(self, programs: int, *arguments: Any) -> None:
        """Run so many programs on the current device.

        Args:
            programs: how many.
            arguments: all of the kernel's but the constants, in order.
        """
        compiled = self.compiled
        if compiled is None:
            options = self.configuration.options
            # The interpreter compiles nothing and returns nothing.
            self.compiled = self.function[(programs,)](*arguments, **self.constants, **options)
            return
        enter, leave = knobs.runtime.launch_enter_hook, knobs.runtime.launch_exit_hook
        active = driver.active
        stream = active.get_current_stream(active.get_current_device())
        told = None
        if enter is not None and getattr(enter, "calls", True):
            told = compiled.launch_metadata((programs,), stream, *arguments, *self.values)
        compiled.run(
            programs,
            1,
            1,
            stream,
            compiled.function,
            compiled.packed_metadata,
            told,
            enter,
            leave,
            *arguments,
            *self.values,
        )


_plans: dict[tuple[Any, ...], Plan] = {}


def plan(call: Call, kernel: Kernel) -> Plan:
    """Return the plan of a kernel for a call, made once for all calls like it.

    Raises:
        LookupError: if no configuration is stored for it.
    """
    query, bias = call.directions[0].query, call.bias
    short = kernel in ("short_forward", "short_backward")
    key = (
        kernel,
        query.device,
        query.dtype,
        query.shape[2],
        call.dropout > 0.0,
        None if bias is None else (bias.dtype, max(bias.stride()) >= LARGEST),
        call.pair,
        call.seed is None,
        call.tile if short else None,
        configurations.generation(),
    )
    found = _plans.get(key)
    if found is None:
        found = _plans[key] = _made(call, kernel)
    return found


def constants(
    kernel: Kernel,
    configuration: Configuration,
    *,
    head_dim: int,
    dropout: bool,
    bias: bool,
    pair: bool,
) -> dict[str, Any]:
    """Return the compile-time arguments of a kernel, in the order of its signature."""
    known = {
        "HEAD_DIM": head_dim,
        "BLOCK_D": triton.next_power_of_2(head_dim),
        "CHUNK": configuration.chunk,
        "BLOCK_M": configuration.block_m,
        "BLOCK_N": configuration.block_n,
        "TAIL_M": configuration.tail,
        "TAIL_N": configuration.tail,
        "WHOLE": kernel == "short_forward",
        "BIAS": bias,
        "DROPOUT": dropout,
        "PAIR": pair,
    }
    return {name: known[name] for name in FUNCTIONS[kernel].arg_names if name in known}


def _made(call: Call, kernel: Kernel) -> Plan:
    query, pair = call.directions[0].query, call.pair
    longest = max(call.max_query, call.max_key)
    configuration = configurations.choose(
        "interpreter" if interpreting() else architecture(query.device),
        kernel,
        dtype=query.dtype,
        head_dim=query.shape[2],
        max_query=longest if pair else call.max_query,
        max_key=longest if pair else call.max_key,
        dropout=call.dropout > 0.0,
        bias=call.bias is not None,
    )
    return Plan(
        function=FUNCTIONS[kernel],
        configuration=configuration,
        constants=constants(
            kernel,
            configuration,
            head_dim=query.shape[2],
            dropout=call.dropout > 0.0,
            bias=call.bias is not None,
            pair=pair,
        ),
    )
