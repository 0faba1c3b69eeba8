"""A network as an ONNX file: the same numbers from the bytes of images, any number of them, or no file at all."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest
import torch
from resnext_search.spaces import Architecture, Template
from resnext_search.spaces.errors import ResnextSearchError
from resnext_search.trainers import onnx_file
from resnext_search.trainers.onnx_file import OfBytes, write_onnx
from resnext_search.trainers.resnext import build_network
from torch import Tensor, nn

MEAN, STD = torch.tensor([100.0, 120.0]), torch.tensor([50.0, 60.0])


def network(shortcut: str = "projection") -> nn.Module:
    template = Template(planes=4, stages=2, resolution=8, channels=2, classes=3, shortcut=shortcut)
    return build_network(template, Architecture(2, (2, 3), (1, 2))).eval()


def pixels(images: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (images, 2, 8, 8), generator=generator, dtype=torch.uint8)


def logits_of(file: Path, images: Tensor) -> Tensor:
    return torch.from_numpy(onnxruntime.InferenceSession(file).run(None, {"pixels": images.numpy()})[0])


@pytest.mark.parametrize("shortcut", ["projection", "identity", "none"])
def test_the_file_gives_the_networks_logits_for_any_number_of_images(tmp_path: Path, shortcut: str) -> None:
    file, ours = tmp_path / "model.onnx", network(shortcut)
    assert write_onnx(ours, MEAN, STD, pixels(130), file) < 1e-5
    for images in (pixels(1), pixels(2), pixels(130)):
        with torch.inference_mode():
            expected = ours((images.float() - MEAN.view(2, 1, 1)) / STD.view(2, 1, 1))
        torch.testing.assert_close(logits_of(file, images), expected, rtol=0, atol=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_the_file_says_what_it_takes_and_gives(tmp_path: Path) -> None:
    write_onnx(network(), MEAN, STD, pixels(1), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    [given], [got] = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape) == ("pixels", "tensor(uint8)", ["images", 2, 8, 8])
    assert (got.name, got.type, got.shape) == ("logits", "tensor(float)", ["images", 3])


def test_bytes_are_normalised_channel_by_channel() -> None:
    images = torch.tensor([150, 180], dtype=torch.uint8).view(1, 2, 1, 1)
    assert OfBytes(nn.Flatten(), MEAN, STD)(images).tolist() == [[1.0, 1.0]]


class Unlike(nn.Module):
    """Computes something else whenever it is not traced."""

    def __init__(self, off: float) -> None:
        super().__init__()
        self.off = off

    def forward(self, images: Tensor) -> Tensor:
        """Sums, of which some are wrong."""
        sums = images.sum(dim=(2, 3)) / 100
        return sums if torch.compiler.is_exporting() else sums + self.off


@pytest.mark.parametrize("off", [0.1, float("nan"), float("inf")])
def test_a_file_that_computes_something_else_is_not_kept(tmp_path: Path, off: float) -> None:
    file = tmp_path / "model.onnx"
    file.write_text("from before")
    with pytest.raises(
        ResnextSearchError, match=r"model\.onnx: not written: on 3 images its logits are up to "
    ) as said:
        write_onnx(Unlike(off), MEAN, STD, pixels(3), file)
    assert said.value.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    assert file.read_text() == "from before"


def test_what_is_allowed_is_a_share_of_the_largest_logit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # of 1, where no logit is larger: these are near 0.3
    monkeypatch.setattr(onnx_file, "TOLERANCE", 0.2)
    assert write_onnx(Unlike(0.1), MEAN, STD, pixels(3), tmp_path / "model.onnx") == pytest.approx(0.1, abs=1e-5)


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_onnx(Unlike(0.0), MEAN, STD, pixels(2), tmp_path / "none" / "model.onnx")
