"""Which data sets there are, and the facts about them that a plan needs before any image is read."""

from __future__ import annotations

from typing import NamedTuple


class DatasetFacts(NamedTuple):
    """Shape and size of a data set, as published.

    Args:
        resolution: Height and width, in pixels.
        channels: Channels of an image.
        classes: Classes.
        train_images: Images that may be trained or validated on.
        test_images: Images that are kept for the end.
        flip: Whether a mirrored image still shows the same thing.
    """

    resolution: int
    channels: int
    classes: int
    train_images: int
    test_images: int
    flip: bool


# digits: scikit-learn's copy of the UCI optical digits has no test split of its own; 397 of its 1,797 images are
# kept apart by the study's seed. A mirrored digit is not that digit, so digits are never flipped.
DATASETS = {
    "digits": DatasetFacts(8, 1, 10, 1_400, 397, False),
    "fashion_mnist": DatasetFacts(28, 1, 10, 60_000, 10_000, True),
    "cifar10": DatasetFacts(32, 3, 10, 50_000, 10_000, True),
    "cifar100": DatasetFacts(32, 3, 100, 50_000, 10_000, True),
}
