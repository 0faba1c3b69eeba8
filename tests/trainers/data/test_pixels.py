"""Files of every kind become upright RGB bytes: 16 bits by their upper eight, transparency on white; or say why not."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image
from resnext_search.trainers.data.pixels import DEEP, TRANSPARENT, TURNED, UnreadableImage, read_picture

from tests.support.trees import DAMAGED, damage, write_digits

# Four levels of 16 bits: black, the lowest of the upper byte, a middle one, white.
LEVELS = np.array([[0, 256, 32_768, 65_535]], dtype=np.uint16)
BYTES = [0, 1, 128, 255]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return damage(write_digits(tmp_path_factory.mktemp("tree"), train=60, test=30))


def pixels(path: Path) -> list[Any]:
    """The first row of what becomes of a file, a colour a pixel."""
    picture = read_picture(path)
    assert picture.rgb.mode == "RGB"
    return [tuple(pixel) for pixel in np.asarray(picture.rgb)[0].tolist()]


def greys(*levels: int) -> list[tuple[int, int, int]]:
    return [(level, level, level) for level in levels]


def write_png(path: Path, depth: int, colour_type: int, row: bytes, width: int, **chunks: bytes) -> Path:
    """A PNG of one row, with kinds of pixels that Pillow does not write."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, 1, depth, colour_type, 0, 0, 0)
    parts = [(b"IHDR", header), *((name.encode(), content) for name, content in chunks.items())]
    parts += [(b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))
    return path


def write_tiff(
    path: Path, levels: bytes, width: int, bits: int, *, sample_format: int = 1, photometric: int = 1
) -> Path:
    """A TIFF of one grey row, with kinds of pixels that Pillow does not write."""
    tags = {256: width, 257: 1, 258: bits, 259: 1, 262: photometric, 273: 0, 277: 1, 278: 1, 279: len(levels)}
    tags[339] = sample_format
    tags[273] = 8 + 2 + 12 * len(tags) + 4  # where the pixels begin
    entries = b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in sorted(tags.items()))
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + levels)
    return path


# ------------------------------------------------------------------ depth


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm"])
def test_a_grey_image_of_16_bits_is_its_upper_byte_whatever_else_is_in_it(tmp_path: Path, name: str) -> None:
    for levels, expected in ((LEVELS, BYTES), (LEVELS[:, :2], BYTES[:2])):  # dark images stay darker than bright ones
        Image.fromarray(levels).save(tmp_path / name)
        assert pixels(tmp_path / name) == greys(*expected)
        assert read_picture(tmp_path / name).traits == (DEEP,)


def test_big_endian_tiffs_are_read_as_little_endian_ones(tmp_path: Path) -> None:
    Image.frombytes("I;16B", (4, 1), LEVELS.astype(">u2").tobytes()).save(tmp_path / "a.tif")
    assert pixels(tmp_path / "a.tif") == greys(*BYTES)


def test_a_file_that_says_how_many_bits_it_has_is_scaled_by_them(tmp_path: Path) -> None:
    """4,095 is white of 12 bits, 2,048 a middle grey."""
    packed = write_tiff(tmp_path / "a.tif", bytes([0xFF, 0xF8, 0x00]), 2, 12)
    (tmp_path / "a.pgm").write_bytes(b"P5 2 1 4095\n" + struct.pack(">2H", 4_095, 2_048))
    for path in (packed, tmp_path / "a.pgm"):
        assert pixels(path) == greys(255, 128)
        assert read_picture(path).traits == (DEEP,)


def test_a_tiff_whose_lowest_value_is_white_is_no_negative(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", LEVELS.tobytes(), 4, 16, photometric=0)
    assert pixels(path) == greys(255, 254, 127, 0)


def test_a_coloured_image_of_16_bits_is_its_upper_bytes_too_and_says_so(tmp_path: Path) -> None:
    row = struct.pack(">3H", 0, 256, 65_535)
    (tmp_path / "a.ppm").write_bytes(b"P6 1 1 65535\n" + row)
    assert pixels(write_png(tmp_path / "a.png", 16, 2, row, 1)) == [(0, 1, 255)]
    assert pixels(tmp_path / "a.ppm") == [(0, 1, 255)]
    for name in ("a.png", "a.ppm"):
        assert read_picture(tmp_path / name).traits == (DEEP,)


@pytest.mark.parametrize(
    ("bits", "sample_format", "levels", "kind"),
    [
        (32, 3, np.array([0, 0.5, 1], dtype="<f4"), "floating-point numbers"),
        (32, 2, np.array([0, 70_000], dtype="<i4"), "integers of 32 bits or with a sign"),
        (32, 1, np.array([0, 2**32 - 1], dtype="<u4"), "integers of 32 bits or with a sign"),
        (16, 2, np.array([-5, 5], dtype="<i2"), "integers of 32 bits or with a sign"),
        (8, 2, np.array([-5, 5], dtype="i1"), "integers of 32 bits or with a sign"),
    ],
)
def test_pixels_of_which_nobody_knows_what_is_white_are_refused(
    tmp_path: Path, bits: int, sample_format: int, levels: Any, kind: str
) -> None:
    path = write_tiff(tmp_path / "a.tif", levels.tobytes(), len(levels), bits, sample_format=sample_format)
    with pytest.raises(UnreadableImage) as caught:
        read_picture(path)
    assert str(caught.value) == f"its pixels are {kind}; allowed: 8 or 16 bits without a sign"


def test_floating_point_and_32_bit_files_of_pillow_are_refused(tmp_path: Path) -> None:
    for dtype in (np.float32, np.int32):
        Image.fromarray(LEVELS.astype(dtype)).save(tmp_path / "a.tif")
        with pytest.raises(UnreadableImage, match="its pixels are"):
            read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize(("depth", "row", "expected"), [(1, 0x40, [0, 255]), (2, 0x60, [85, 170]), (4, 0x0F, [0, 255])])
def test_fewer_than_eight_bits_span_the_same_range(tmp_path: Path, depth: int, row: int, expected: list[int]) -> None:
    path = write_png(tmp_path / "a.png", depth, 0, bytes([row]), 2)
    assert pixels(path) == greys(*expected)
    assert read_picture(path).traits == ()


# ------------------------------------------------------------------ colour and transparency


def test_palettes_cmyk_and_ycbcr_become_rgb(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", 8, 3, bytes([1, 0]), 2, PLTE=bytes([255, 0, 0, 0, 0, 255]))
    assert pixels(tmp_path / "a.png") == [(0, 0, 255), (255, 0, 0)]
    Image.new("CMYK", (9, 9), (0, 255, 255, 0)).save(tmp_path / "c.jpg", quality=100)
    Image.new("RGB", (9, 9), (255, 0, 0)).convert("YCbCr").save(tmp_path / "y.tif")
    for name in ("c.jpg", "y.tif"):
        assert pixels(tmp_path / name)[0] == pytest.approx((255, 0, 0), abs=9)
        assert read_picture(tmp_path / name).traits == ()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_what_is_transparent_is_laid_on_white(tmp_path: Path, mode: str) -> None:
    """Black, opaque, half and not at all: the last two would be black without their ground."""
    image = Image.new("RGBA", (3, 1), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 128))
    image.putpixel((2, 0), (0, 0, 0, 0))
    image.convert(mode).save(tmp_path / "a.tif")
    assert pixels(tmp_path / "a.tif") == greys(0, 127, 255)
    assert read_picture(tmp_path / "a.tif").traits == (TRANSPARENT,)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_image_that_could_be_transparent_and_is_not_is_as_any_other(tmp_path: Path, mode: str) -> None:
    Image.new("RGBA", (2, 1), (7, 7, 7, 255)).convert(mode).save(tmp_path / "a.png")
    assert pixels(tmp_path / "a.png") == greys(7, 7)
    assert read_picture(tmp_path / "a.png").traits == ()


@pytest.mark.parametrize(
    ("depth", "colour_type", "row", "chunks", "expected"),
    [
        (8, 3, [0, 1], {"PLTE": bytes([9, 0, 0, 0, 9, 0]), "tRNS": bytes([255, 0])}, [(9, 0, 0), (255, 255, 255)]),
        (8, 3, [0, 1], {"PLTE": bytes([9, 0, 0, 0, 9, 0]), "tRNS": bytes([0, 128])}, [(255,) * 3, (127, 132, 127)]),
        (8, 2, [1, 2, 3, 4, 5, 6], {"tRNS": struct.pack(">3H", 4, 5, 6)}, [(1, 2, 3), (255, 255, 255)]),
        (8, 0, [5, 9], {"tRNS": struct.pack(">H", 9)}, greys(5, 255)),
        (16, 0, [5, 0, 9, 0], {"tRNS": struct.pack(">H", 9 * 256)}, greys(5, 255)),
        (16, 4, [5, 0, 255, 255, 9, 0, 0, 0], {}, greys(5, 255)),
    ],
)
def test_a_colour_that_a_png_names_as_transparent_is_white_too(
    tmp_path: Path, depth: int, colour_type: int, row: list[int], chunks: dict[str, bytes], expected: Any
) -> None:
    path = write_png(tmp_path / "a.png", depth, colour_type, bytes(row), 2, **chunks)
    assert pixels(path) == expected
    assert TRANSPARENT in read_picture(path).traits


# ------------------------------------------------------------------ orientation


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_that_a_camera_noted_is_applied(tmp_path: Path, name: str, orientation: int) -> None:
    """Upright, the image is white at its upper left; stored, the white corner lies where its orientation puts it."""
    width, height = (48, 32) if orientation < 5 else (32, 48)
    is_right, is_low = orientation in (2, 3, 7, 8), orientation in (3, 4, 6, 7)
    stored = Image.new("RGB", (width, height))
    left, top = (width - 16) * is_right, (height - 16) * is_low
    stored.paste((255, 255, 255), (left, top, left + 16, top + 16))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored.save(tmp_path / name, exif=exif)
    picture = read_picture(tmp_path / name)
    assert picture.rgb.size == (48, 32)
    shown = np.asarray(picture.rgb.convert("L"))
    assert shown[:14, :14].min() > 240
    assert shown[18:].max() < 15
    assert shown[:, 18:].max() < 15
    assert (TURNED in picture.traits) == (orientation > 1 and name != "a.tif")  # which Pillow turns by itself


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0", b"\0" * 8])
def test_damaged_exif_makes_no_image_unreadable(tmp_path: Path, exif: bytes) -> None:
    Image.new("RGB", (9, 9), (255, 0, 0)).save(tmp_path / "a.jpg", exif=exif)
    assert read_picture(tmp_path / "a.jpg").traits == ()


# ------------------------------------------------------------------ damage


@pytest.mark.parametrize(("path", "reason"), DAMAGED.items())
def test_a_file_that_is_no_whole_image_says_why(tree: Path, path: str, reason: str) -> None:
    with pytest.raises(UnreadableImage) as caught:
        read_picture(tree / path)
    assert str(caught.value) == reason
