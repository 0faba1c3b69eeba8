"""What does training a network take: operations, and memory of a GPU? Predicted from its layers, before it is built.

What the backward pass needs is what the forward pass keeps: the output of every convolution, which its norm looks at
again, and the output of every ReLU, which the next convolution looks at again. What a process takes of a GPU, whatever
it trains, is apart from that: `CONTEXT_BYTES` and `SCRATCH_BYTES`, estimates, since GPUs and libraries differ.
"""

from __future__ import annotations

from resnext_search.spaces.architecture.architecture import Architecture, Template, halved
from resnext_search.spaces.architecture.complexity import complexity

# What CUDA takes for every process, with the code of cuDNN and cuBLAS: 0.5 to 0.9 GiB. It lies outside torch's memory.
CONTEXT_BYTES = int(0.9 * 2**30)
# What kernels work in (32 MiB for cuBLAS, more for convolutions), out of torch's memory.
SCRATCH_BYTES = int(0.3 * 2**30)

# A number in the network on a GPU, in bfloat16.
VALUE_BYTES = 2

# A weight, its gradient and its momentum, in 32 bits each; the weight is kept in the network's own numbers too.
STATE_BYTES = 12
# Of a network that is judged: images at once, beyond which nothing is gained; bytes that it may take whatever a step
# keeps; and the input, the output, the shortcut and one more map of a block.
MOST_JUDGED, JUDGING_BYTES, LIVING_MAPS = 2_048, 2**28, 4
# Where a pooled value came from.
INDEX_BYTES = 8

# The backward pass costs about two forward passes.
FORWARD_PASSES = 3

# Floating-point operations of a multiply-add.
OPERATIONS = 2


def training_flops(multiply_adds: int, images: int) -> int:
    """Floating-point operations of training once on so many images, at so many multiply-adds an image.

    >>> training_flops(8_000_000, images=1_260)
    60480000000
    """
    return OPERATIONS * FORWARD_PASSES * multiply_adds * images


def kept_bytes(template: Template, architecture: Architecture) -> int:
    """What the forward pass of one image keeps for the backward pass, but for the norms' means and deviations."""
    values = 2 * int(complexity(template, architecture).activations) - template.classes  # logits are kept once
    if template.shortcut == "projection":  # it has a norm, and is added before the ReLU
        values -= sum(template.output_channels(s) * template.stage_sides(s)[1] ** 2 for s in range(template.stages))
    values += template.channels * template.resolution**2
    if template.stem == "imagenet":  # the pooled map is kept once, and for each of its values an index
        pooled = template.planes * template.stem_side() ** 2
        return (values - pooled) * VALUE_BYTES + pooled * INDEX_BYTES
    return values * VALUE_BYTES


def judged_at_once(template: Template, architecture: Architecture, images: int) -> int:
    """How many images go through a network at once on a GPU to be judged, where a step trains on so many.

    Nothing is kept for a backward pass: at a time there are at most four maps of the size of the largest. So many
    images that these take what a training step keeps, or a quarter of a GiB if that is more; at most 2,048.

    >>> judged_at_once(Template(), Architecture.paper(1, 64, (3, 3, 3)), images=128)
    612
    """
    stem_side = halved(template.resolution) if template.stem == "imagenet" else template.stem_side()
    maps = [template.planes * stem_side**2]
    for stage, width in enumerate(architecture.group_widths):
        side_in, side_out = template.stage_sides(stage)
        maps += [architecture.cardinality * width * side_in**2, template.output_channels(stage) * side_out**2]
    largest = max(maps)
    room = judging_bytes(template, architecture, images)
    return max(1, min(MOST_JUDGED, room // (LIVING_MAPS * largest * VALUE_BYTES)))


def judging_bytes(template: Template, architecture: Architecture, images: int) -> int:
    """What images may take of a GPU while they are judged, where a step trains on so many."""
    return max(images * kept_bytes(template, architecture), JUDGING_BYTES)


def training_bytes(template: Template, architecture: Architecture, images: int) -> int:
    """What is held on a GPU while a batch of so many images is trained on.

    >>> imagenet = Template(stem="imagenet", stages=4, resolution=224, classes=1000)
    >>> round(training_bytes(imagenet, Architecture.paper(32, 4, (3, 4, 6, 3)), 64) / 2**30, 1)
    3.7
    """
    parameters = int(complexity(template, architecture).parameters)
    return images * kept_bytes(template, architecture) + parameters * (STATE_BYTES + VALUE_BYTES)
