"""What does an error say of a GPU: that its memory did not suffice, or that this process cannot use it any more?

Told by the names of classes and by words, since the trainer of a plug-in need not use torch.
"""

from __future__ import annotations

import traceback

from resnext_search.search.execution.memory import OUT_OF_MEMORY

# How too little memory shows itself besides: to the driver, when a context, a stream or a graph is made; to the matrix
# products, which cannot even begin; to cuDNN, which passes over every kernel that finds too little, and has none left.
_TOO_LITTLE = (
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_NOT_INITIALIZED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR",
    "unable to find an engine",
)
# After these every call of the process fails: illegal access, failed launch, a memory error of the card.
_UNUSABLE = ("CUDA error", "HIP error", "CUBLAS_STATUS_EXECUTION_FAILED", "CUDNN_STATUS_EXECUTION_FAILED")


def is_out_of_memory(error: Exception) -> bool:
    """Whether a GPU had too little memory; of the processor's own, Python's `MemoryError` tells.

    >>> is_out_of_memory(RuntimeError("GET was unable to find an engine to execute this computation"))
    True
    """
    if any(kind.__name__ == OUT_OF_MEMORY for kind in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _TOO_LITTLE)


def leaves_device_unusable(error: Exception) -> bool:
    """Whether the process has to end, since nothing that it asks of its GPU from then on succeeds.

    >>> leaves_device_unusable(RuntimeError("CUDA error: an illegal memory access was encountered"))
    True
    >>> leaves_device_unusable(RuntimeError("CUDA error: out of memory"))
    False
    """
    if is_out_of_memory(error):
        return False
    named = any(kind.__name__ == "AcceleratorError" for kind in type(error).__mro__)
    return named or (isinstance(error, RuntimeError) and any(words in str(error) for words in _UNUSABLE))


def forget_frames(error: BaseException | None) -> None:
    """Let go of what the functions held through which an error came: a network, a batch, all that a step had kept.

    Else it would live as long as the error does, and its memory could not be given back. The traceback stays readable.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
