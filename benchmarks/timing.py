"""Times of calls on a device: as Python makes them, and of the device alone."""

import statistics
import time
from collections.abc import Callable

import torch

WARM_UP = 3
ROUNDS = 5
LONG = 4.0
"""Milliseconds that one measurement of many short calls takes at least, as far as repeats allow."""


def eager_milliseconds(call: Callable[[], object], device: str, repeats: int) -> float:
    """Return the time of a call as Python makes it, median of rounds of calls without a pause.

    On a GPU this is what the device needs or what the host needs to launch, whichever is more.

    Args:
        call: what is timed.
        device: where it runs.
        repeats: calls of a round, at most.
    """
    if not device.startswith("cuda"):
        call()
        return statistics.median(_host_milliseconds(call) for _ in range(repeats))
    for _ in range(WARM_UP):
        call()
    return _rounds(call, repeats)


def graph_milliseconds(call: Callable[[], object], repeats: int) -> float:
    """Return the time of a call on a GPU when nothing is launched from Python: a graph's replay.

    Args:
        call: what is timed; it must not wait for the device.
        repeats: calls of a round, at most; the graph holds a few.
    """
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP):
            call()
    torch.cuda.current_stream().wait_stream(side)
    torch.cuda.synchronize()
    inside = min(repeats, 10)
    graph = torch.cuda.CUDAGraph()
    # The backward pass runs in a thread of its own, which may ask the driver for memory.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        for _ in range(inside):
            call()
    graph.replay()
    return _rounds(graph.replay, max(1, repeats // inside)) / inside


def _rounds(call: Callable[[], object], repeats: int) -> float:
    once = _device_milliseconds(call, 1)
    calls = min(repeats, max(1, round(LONG / max(once, 1e-3))))
    return statistics.median(_device_milliseconds(call, calls) for _ in range(ROUNDS))


def _device_milliseconds(call: Callable[[], object], calls: int) -> float:
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(calls):
        call()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / calls


def _host_milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)
