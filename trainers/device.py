"""What has to be said to a device? All of it is here: threads and memory of a processor, precision and memory of a GPU.

On processors nothing is traded for speed: 32-bit floats, and the same bits from the same number of threads. GPUs
compute convolutions and matrix products with 16 bits (bfloat16) and 32-bit sums, which changes the last digits of a
result, and may change them from run to run.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from typing import Any

import torch
from resnext_search.spaces.architecture.training_cost import CONTEXT_BYTES

# glibc's names for what `mallopt` sets, from malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_KEEP_BYTES = 2**31 - 1


def best_device() -> str:
    """Where to train when nobody has said it: a GPU if torch sees one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def trouble_with_gpu() -> str:
    """Why torch cannot train on the GPU that this process sees first; empty if it can.

    To be asked by a process of its own: what goes wrong may leave CUDA unusable, and a context takes memory.
    """
    if not torch.cuda.is_available():
        built_for = f"CUDA {torch.version.cuda}" if torch.version.cuda else "processors alone"
        return f"torch {torch.__version__} is built for {built_for}, and sees none"
    try:
        layer = torch.nn.Conv2d(8, 8, 3, device="cuda")
        layer(torch.ones(1, 8, 8, 8, device="cuda")).sum().backward()
        torch.cuda.synchronize()
    except Exception as error:  # whatever a driver and its libraries say
        name, kinds = torch.cuda.get_device_name(0), " ".join(torch.cuda.get_arch_list())
        return f"{name}: {str(error).strip().partition(chr(10))[0]} (torch {torch.__version__} has kernels for {kinds})"
    return ""


def least_gpu_bytes() -> int:
    """Memory of the smallest GPU that torch sees; 0 where it sees none."""
    numbers = range(torch.cuda.device_count())
    return min((int(torch.cuda.get_device_properties(number).total_memory) for number in numbers), default=0)


def try_gpus() -> tuple[str, int]:
    """What `trouble_with_gpu` says, in a process of its own too, and the memory of the smallest if that is nothing."""
    trouble = trouble_with_gpu()
    return trouble, 0 if trouble else least_gpu_bytes()


def prepare(device: torch.device, threads: int, *, deterministic: bool = False) -> None:
    """Make this process ready to train on a device, with so many processor threads.

    On a GPU the fastest kernels are found by trying, which may choose others the next time, and some add up in any
    order. With `deterministic` neither is so: the same GPU with the same libraries gives the same bits.

    >>> prepare(torch.device("cpu"), 1)
    >>> torch.get_num_threads()
    1
    """
    torch.set_num_threads(threads)
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = not deterministic  # all steps have the same shapes: trying pays at once
        torch.backends.cudnn.deterministic = deterministic
    else:
        _keep_memory()


def limit_memory(share: float) -> None:
    """Let this process hold only its share of a GPU's memory: one that asks for more fails, and not its neighbour.

    The GPU is the one that the process sees first; a share of 1 and more is all of it.
    """
    if share < 1:
        share = max(share - CONTEXT_BYTES / torch.cuda.get_device_properties(0).total_memory, 0.01)
    torch.cuda.set_per_process_memory_fraction(min(share, 1.0), 0)


def precision(device: torch.device) -> Any:
    """The context in which a network computes: bfloat16 on GPUs that have it, nothing special elsewhere."""
    return torch.autocast("cuda", torch.bfloat16, enabled=device.type == "cuda" and _has_bfloat16())


def release(device: torch.device) -> None:
    """Give back what torch keeps for itself: trials of other processes may share this GPU."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


@functools.cache
def _has_bfloat16() -> bool:
    """Asked once by a process: the driver's answer takes longer than many a kernel."""
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


@functools.cache
def _keep_memory() -> None:
    """Let the C library keep freed memory for the next step, instead of giving it back and asking for it again.

    A step allocates and frees some hundred megabytes of activations. The kernel hands out every page filled with zeros,
    which takes a tenth to a fifth of a step (1 thread, batches of 128, maps of 14 and less). Other C libraries than
    glibc have no such call, and stay as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, _KEEP_BYTES)
        mallopt(_M_ARENA_MAX, 1)
