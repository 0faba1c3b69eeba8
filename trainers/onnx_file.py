"""How is a network used without torch? Written as an ONNX file, which is kept only if it computes the same.

The file takes images as the bytes they are stored as: a network that is handed on without the mean and deviation of its
pixels is a network that is used wrongly. Needs the extra `onnx`, so only what writes such a file imports this.
"""

from __future__ import annotations

import math
from pathlib import Path

import onnxruntime
import onnxscript  # noqa: F401  torch writes ONNX with it; that it is missing is to be noticed here
import torch
from resnext_search.spaces.errors import ResnextSearchError
from resnext_search.spaces.whole_file import whole_file
from resnext_search.trainers.data.augment import normalise
from torch import Tensor, nn

# Logits may differ by this share of the largest; sums of float32 in another order differ by some 1e-6 of it.
TOLERANCE = 1e-4
# Images compared at a time. That their number need not be a multiple shows that a batch may have any size.
BATCH = 100


class OfBytes(nn.Module):
    """A network behind the normalisation of its images.

    Args:
        network: Takes normalised images.
        mean: `(channels,)` float32, of the pixels on the scale 0 to 255.
        std: `(channels,)` float32, their standard deviation.

    >>> network = OfBytes(nn.Flatten(), mean=torch.tensor([10.0]), std=torch.tensor([5.0]))
    >>> network(torch.full((1, 1, 1, 1), 30, dtype=torch.uint8)).item()
    4.0
    """

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.network, self.mean, self.std = network, nn.Buffer(mean), nn.Buffer(std)

    def forward(self, pixels: Tensor) -> Tensor:
        """`(images, channels, side, side)` uint8 to `(images, classes)` logits."""
        return self.network(normalise(pixels, self.mean, self.std))  # type: ignore[no-any-return]


def write_onnx(network: nn.Module, mean: Tensor, std: Tensor, images: Tensor, file: Path) -> float:
    """Write a network as ONNX, with the normalisation of its images, for any number of images at once.

    The file has one input, `pixels`, `(images, channels, side, side)` uint8, and one output, `logits`,
    `(images, classes)` float32.

    Args:
        network: In the mode in which it is asked (`eval`), on the CPU.
        mean: As `OfBytes` takes it; so is `std`.
        images: `(images, channels, side, side)` uint8, on which file and network are compared; at least one.
        file: The file to write; one that is there is replaced at once, or stays as it is.

    Returns:
        How far the file's logits lie from the network's on these images, at most.

    Raises:
        ResnextSearchError: They lie further apart than `TOLERANCE` of the largest logit, or are no numbers; nothing is
            written then.
        OSError: The file cannot be written.
    """
    whole = OfBytes(network, mean, std).eval()
    example = torch.zeros(2, *images.shape[1:], dtype=torch.uint8)  # traced with one image, it would take no more
    program = torch.onnx.export(
        whole,
        (example,),
        dynamo=True,
        dynamic_shapes={"pixels": {0: torch.export.Dim("images")}},
        input_names=["pixels"],
        output_names=["logits"],
        verbose=False,
    )
    with whole_file(file) as draft:
        program.save(draft, external_data=False)  # type: ignore[union-attr]
        difference, allowed = _difference(whole, draft, images)
        if not difference <= allowed < math.inf:  # NaN is not either
            raise ResnextSearchError(
                f"{file}: not written: on {len(images):,} images its logits are up to {difference:.2g} off those of "
                f"the network; allowed: {allowed:.2g}",
                hint="Try another version of torch, onnxscript or onnxruntime.",
            )
    return difference


@torch.inference_mode()
def _difference(network: nn.Module, file: Path, images: Tensor) -> tuple[float, float]:
    """The largest difference between the logits of network and file, and the largest that is allowed."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    batches = torch.split(images, BATCH)
    logits = torch.cat([network(batch) for batch in batches])
    of_file = torch.cat([torch.from_numpy(session.run(None, {"pixels": batch.numpy()})[0]) for batch in batches])
    return float((of_file - logits).abs().max()), TOLERANCE * max(1.0, float(logits.abs().max()))
