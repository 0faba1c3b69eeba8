"""Trees of image files on disk: the real digits, as PNG and JPEG, and files that went wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

# What `damage` does to a tree, and why each of its files cannot be read.
DAMAGED = {
    "train/0/aa-empty.png": "empty",
    "train/0/ab-text.jpg": "no image that Pillow knows",
    "train/3/ac-truncated.png": "image file is truncated",
    "train/3/ad-truncated.jpg": "image file is truncated (5 bytes not processed)",
    "train/7/ae-missing.png": "No such file or directory",
    "test/0/af-scrambled.png": "broken data stream when reading image file",
}


def write_digits(root: Path, *, train: int, test: int, classes: int = 10) -> Path:
    """The first digits of scikit-learn as images of 32x32, every pixel four times as wide; every third is a JPEG."""
    images, labels = load_digits(return_X_y=True)
    pixels = np.rint(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8).repeat(4, axis=1).repeat(4, axis=2)
    for part in ("train", "test"):
        for label in range(classes):
            (root / part / str(label)).mkdir(parents=True)
    for number in range(train + test):
        if labels[number] < classes:
            folder = root / ("train" if number < train else "test") / str(labels[number])
            Image.fromarray(pixels[number]).save(folder / f"{number:04}.{'jpg' if number % 3 == 0 else 'png'}")
    return root


def copy_of(tree: Path, root: Path) -> Path:
    """Another tree of the same names, sizes and times."""
    return Path(shutil.copytree(tree, root, symlinks=True))


def damage(root: Path) -> Path:
    """Add the files of `DAMAGED`."""
    whole = {suffix: sorted((root / "train" / "3").glob(f"*.{suffix}"))[0].read_bytes() for suffix in ("png", "jpg")}
    (root / "train/0/aa-empty.png").touch()
    (root / "train/0/ab-text.jpg").write_text("not an image")
    (root / "train/3/ac-truncated.png").write_bytes(whole["png"][:-40])
    (root / "train/3/ad-truncated.jpg").write_bytes(whole["jpg"][:-200])
    (root / "train/7/ae-missing.png").symlink_to("nowhere.png")
    (root / "test/0/af-scrambled.png").write_bytes(whole["png"][:45] + bytes(20) + whole["png"][65:])
    return root
