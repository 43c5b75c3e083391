"""Encoded image bytes become a square 8-bit PNG, as the model was trained to see images; greys stay one channel.

Only PNG, JPEG and WEBP are opened, whatever a file calls itself: an EPS named scan.png would make Pillow
start Ghostscript. The number of pixels is checked before any of them is decoded.
"""

import base64
import binascii
import io

import numpy
import PIL.Image
from PIL import ImageOps

from medserver.imaging.wire import MAX_PIXELS

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_RATIO = 50  # a line of pixels is no picture, and padding it to a square would cost a million times its size

# The share of grey values at each end that windowing lets saturate, in percent.
_TAIL = 0.1


class Unreadable(Exception):
    """There is no picture in these bytes; the message is a sentence for the person who sent them."""


def square_png(payload: bytes, *, base64_encoded: bool, side: int) -> bytes:
    """Decode, orient, flatten, window, pad with black to a centred square, shrink to `side` pixels (0: keep).

    Raises:
        Unreadable: not one of the three formats, damaged, or too many pixels.
    """
    data = _from_base64(payload) if base64_encoded else payload
    image = _eight_bit(_opened(data))
    longest = max(image.size)
    if side and longest > side:
        # Shrinking before padding keeps the padded square small. Pillow's bilinear filter is the one the
        # model's own processor uses.
        scale = side / longest
        image = image.resize([max(1, round(edge * scale)) for edge in image.size], PIL.Image.Resampling.BILINEAR)
        longest = side
    image = _without_colour(image)
    square = PIL.Image.new(image.mode, (longest, longest))
    square.paste(image, ((longest - image.width) // 2, (longest - image.height) // 2))
    out = io.BytesIO()
    square.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _from_base64(payload: bytes) -> bytes:
    try:
        return base64.b64decode(payload.translate(None, b" \t\r\n"), validate=True)  # `base64` wraps its lines
    except binascii.Error:
        raise Unreadable("The image is not valid base64.") from None


def _opened(data: bytes) -> PIL.Image.Image:
    PIL.Image.MAX_IMAGE_PIXELS = None  # our own check refuses earlier, and with a sentence
    try:
        image = PIL.Image.open(io.BytesIO(data), formats=FORMATS)
    except MemoryError:
        raise
    except Exception:
        raise Unreadable("The image is not a PNG, JPEG or WEBP file.") from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Unreadable(f"The image has {width} x {height} pixels; at most {MAX_PIXELS // 10**6} million are read.")
    if max(width, height) > MAX_RATIO * min(width, height):
        raise Unreadable(f"The image has {width} x {height} pixels; it is too narrow to be read.")
    try:
        image.load()
        return ImageOps.exif_transpose(image)
    except Exception:
        raise Unreadable("The image is damaged or incomplete.") from None


def _eight_bit(image: PIL.Image.Image) -> PIL.Image.Image:
    """In RGB, or L where it is known to be grey."""
    if image.mode.startswith(("I", "F")):  # 16- and 32-bit grey: `convert` would clip it to white
        return PIL.Image.fromarray(_windowed(numpy.asarray(image, dtype=numpy.float32)))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = PIL.Image.new("RGBA", layer.size, "white")
        return PIL.Image.alpha_composite(ground, layer).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _without_colour(image: PIL.Image.Image) -> PIL.Image.Image:
    """A film has no colour, whatever it was saved as: one channel is half the work to encode, carry and decode."""
    if image.mode == "L":
        return image
    red, green, blue = image.split()
    return red if red.tobytes() == green.tobytes() == blue.tobytes() else image


def _windowed(grey: numpy.ndarray) -> numpy.ndarray:
    """Map float32 (height, width) of any range to uint8, the outermost 0.1 % of values saturating."""
    low, high = numpy.percentile(grey, [_TAIL, 100 - _TAIL])
    if high <= low:
        low, high = float(grey.min()), float(grey.max())
    if high <= low:
        return numpy.zeros(grey.shape, numpy.uint8)
    return ((grey - low) * (255.0 / (high - low))).clip(0, 255).round().astype(numpy.uint8)
