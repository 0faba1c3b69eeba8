"""How does an image file become RGB bytes? Whatever its depth, its transparency and its orientation.

What was done to an image is said along with it, so that whoever looks at all files of a study can tell its user.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

# What may have been done to an image.
DEEP, TRANSPARENT, TURNED = "16 bits", "transparent", "turned"
# What transparent images are laid on: white, as in a browser and on paper.
GROUND = (255, 255, 255, 255)
# By the orientation that EXIF gives: what brings the image upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Of TIFF's tags: a PhotometricInterpretation whose lowest value is white, a SampleFormat of signed integers.
_WHITE_IS_ZERO, _SIGNED = 0, 2


class Picture(NamedTuple):
    """A decoded file.

    Args:
        rgb: The image, upright.
        traits: What was done to it, of `DEEP`, `TRANSPARENT` and `TURNED`; nothing to most images.
    """

    rgb: Image.Image
    traits: tuple[str, ...] = ()


class UnreadableImage(Exception):
    """A file is missing, no whole image, or has pixels that no bytes can stand for; the message says which."""


def read_picture(path: Path) -> Picture:
    """Read and decode a file.

    Of 16 bits the upper eight are used, the same range for all images: one of its own for each would make dark images
    as bright as bright ones. What is transparent is laid on white. The orientation that EXIF gives is applied.

    Raises:
        UnreadableImage: It cannot be read, not all of it can be decoded, or its pixels are no unsigned integers of at
            most 16 bits: nobody knows which of their values are black and white.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # to open a FIFO would wait for somebody to write into it
            raise UnreadableImage("no regular file")
        with path.open("rb") as file:
            return _picture(Image.open(file))
    except UnreadableImage:
        raise
    except UnidentifiedImageError:
        reason = "no image that Pillow knows" if path.stat().st_size else "empty"
    except OSError as error:  # of the file, or Pillow's for one that is truncated
        reason = error.strerror or str(error)
    except Exception as error:  # whatever a decoder makes of damaged bytes: SyntaxError, ValueError, struct.error ...
        reason = f"{type(error).__name__}: {error}"
    raise UnreadableImage(reason)


def _picture(image: ImageFile.ImageFile) -> Picture:
    traits = [DEEP] if _is_deep(image) else []  # the tiles that tell it are gone once it is loaded
    image.load()
    turn = _UPRIGHT.get(_orientation(image))
    rgb, is_transparent = _rgb(image)
    if is_transparent:
        traits.append(TRANSPARENT)
    if turn is not None:
        traits.append(TURNED)
        rgb = rgb.transpose(turn)
    return Picture(rgb, tuple(traits))


def _rgb(image: Image.Image) -> tuple[Image.Image, bool]:
    """The image in RGB, and whether any of it was transparent."""
    if image.mode.startswith(("I", "F")) or _tag(image, TiffImagePlugin.SAMPLEFORMAT) == _SIGNED:
        return _upper_bits(image).convert("RGB"), image.has_transparency_data
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB"), False  # a copy of one in RGB would take time
    shown = image.convert("RGBA")
    if shown.getchannel("A").getextrema() == (255, 255):
        return shown.convert("RGB"), False
    return Image.alpha_composite(Image.new("RGBA", shown.size, GROUND), shown).convert("RGB"), True


def _is_deep(image: ImageFile.ImageFile) -> bool:
    """Whether a channel of it has more than eight bits, which Pillow may drop by itself: names of its raw modes say so.

    PPM's decoder is told the highest value instead.
    """
    told = [part for tile in image.tile for part in (tile.args if isinstance(tile.args, tuple) else (tile.args,))]
    if any(isinstance(part, str) and part.partition(";")[2].startswith(("12", "16")) for part in told):
        return True
    return image.format == "PPM" and any(isinstance(part, int) and part > 255 for part in told)


def _upper_bits(image: Image.Image) -> Image.Image:
    """The upper eight of the bits that a grey image has by its format, as Pillow takes them of coloured ones."""
    integers = image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM"))
    if not integers or _tag(image, TiffImagePlugin.SAMPLEFORMAT) == _SIGNED:
        kind = "floating-point numbers" if image.mode == "F" else "integers of 32 bits or with a sign"
        raise UnreadableImage(f"its pixels are {kind}; allowed: 8 or 16 bits without a sign")
    bits = _tag(image, TiffImagePlugin.BITSPERSAMPLE) or 16
    levels = np.asarray(image)
    shown = (levels >> (bits - 8)).astype(np.uint8)
    if _tag(image, TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO:
        shown = 255 - shown
    if "transparency" in image.info:  # one of the levels
        shown[levels == image.info["transparency"]] = GROUND[0]
    return Image.fromarray(shown)


def _tag(image: Image.Image, number: int) -> int | None:
    """A tag of a TIFF, of its first channel; None of other files."""
    value = image.tag_v2.get(number) if isinstance(image, TiffImagePlugin.TiffImageFile) else None
    return value[0] if isinstance(value, tuple) else value


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF says nothing, and the pixels are whole
        return 1
