"""Whatever picture comes in, a square PNG of what a person would see comes out; all else is refused."""

import base64
import contextlib
import io
import struct
import time
import tracemalloc
import zlib

import numpy
import PIL.Image
import pytest
from PIL.PngImagePlugin import PngInfo

from medserver.imaging import pixels
from medserver.imaging.pixels import Unreadable, square_png

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def encoded(image: PIL.Image.Image, kind: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def shown(data: bytes, side: int = 0) -> PIL.Image.Image:
    """What the model sees of an encoded picture."""
    image = sent(data, side)
    assert image.width == image.height
    return image.convert("RGB")


def sent(data: bytes, side: int = 0) -> PIL.Image.Image:
    """As it goes to the engine."""
    return PIL.Image.open(io.BytesIO(square_png(data, base64_encoded=False, side=side)), formats=("PNG",))


def sentence(data: bytes, **options) -> str:
    with pytest.raises(Unreadable) as refused:
        square_png(data, **{"base64_encoded": False, "side": 0} | options)
    return str(refused.value)


def corners(size: int = 16) -> PIL.Image.Image:
    """Red, green / blue, white, in quarters."""
    image = PIL.Image.new("RGB", (size, size))
    half = size // 2
    for colour, at in ((RED, (0, 0)), (GREEN, (half, 0)), (BLUE, (0, half)), (WHITE, (half, half))):
        image.paste(colour, (*at, at[0] + half, at[1] + half))
    return image


def quarters(image: PIL.Image.Image) -> list[tuple]:
    """The colours in the middle of the quarters, each rounded to full or none."""
    near, far = image.width // 4, image.width * 3 // 4
    found = (image.getpixel(at) for at in ((near, near), (far, near), (near, far), (far, far)))
    return [tuple(255 * (channel > 127) for channel in colour) for colour in found]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width: int, height: int, *more: bytes) -> bytes:
    """A PNG of a few bytes whose header claims any size."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 95}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {}),
    ],
)
def test_png_jpeg_and_webp_are_read(kind, options):
    assert quarters(shown(encoded(corners(64), kind, **options))) == [RED, GREEN, BLUE, WHITE]


def test_base64_is_read_as_well_as_bytes():
    data = encoded(corners())
    assert square_png(base64.b64encode(data), base64_encoded=True, side=0) == square_png(
        data, base64_encoded=False, side=0
    )


@pytest.mark.parametrize(
    "garbage", [b"!!!!", b"abc", b"YWJj\nYWJj", b"/etc/passwd", b"http://host/a.png", b"=", b"YWJjZ"]
)
def test_what_is_no_base64_is_refused(garbage):
    assert sentence(garbage, base64_encoded=True).startswith("The image is not")


# How a camera wrote the picture, so that a viewer who obeys the tag sees it upright.
WRITTEN = {
    1: [],
    2: ["FLIP_LEFT_RIGHT"],
    3: ["ROTATE_180"],
    4: ["FLIP_TOP_BOTTOM"],
    5: ["TRANSPOSE"],
    6: ["ROTATE_90"],
    7: ["TRANSVERSE"],
    8: ["ROTATE_270"],
}


@pytest.mark.parametrize("orientation", WRITTEN)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_turned_as_its_exif_says(orientation, kind):
    image = corners(64)
    for step in WRITTEN[orientation]:
        image = image.transpose(PIL.Image.Transpose[step])
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    assert quarters(shown(encoded(image, kind, exif=exif))) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"\0" * 40])
def test_exif_that_is_garbage_is_no_reason_to_refuse_a_picture(exif):
    assert quarters(shown(encoded(corners(64), "JPEG", exif=exif, quality=95))) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparent_parts_lie_on_white(mode):
    image = PIL.Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 4, 8))
    if mode == "PA":
        image = image.convert("P")
        data = encoded(image, transparency=image.getpixel((7, 7)))
    else:
        data = encoded(image.convert(mode))
    found = shown(data)
    assert found.getpixel((7, 4)) == WHITE
    assert found.getpixel((0, 4)) == BLACK or mode == "PA"


def film(mode: str, side: int = 96) -> PIL.Image.Image:
    return PIL.Image.radial_gradient("L").resize((side, side)).convert(mode)


@pytest.mark.parametrize(("mode", "kind"), [("L", "PNG"), ("RGB", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("RGB", "JPEG")])
def test_what_is_grey_goes_as_one_channel_and_is_the_same_picture(mode, kind):
    data = encoded(film(mode), kind)
    found = sent(data, 64)
    assert found.mode == "L"
    whole = PIL.Image.open(io.BytesIO(data)).convert("RGB").resize((64, 64), PIL.Image.Resampling.BILINEAR)
    assert found.convert("RGB").tobytes() == whole.tobytes()


def test_a_single_coloured_pixel_makes_a_picture_of_colours():
    image = film("RGB")
    image.putpixel((90, 90), (*image.getpixel((90, 90))[:2], 77))
    assert sent(encoded(image)).mode == "RGB"


def test_half_transparent_is_half_white():
    assert abs(shown(encoded(PIL.Image.new("RGBA", (4, 4), (0, 0, 0, 128)))).getpixel((0, 0))[0] - 127) <= 1


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_colour_named_as_transparent_lies_on_white(mode):
    black = (0, 0, 0) if mode == "RGB" else 0
    data = encoded(PIL.Image.new(mode, (4, 4), black), transparency=black)
    assert shown(data).getpixel((1, 1)) == WHITE


@pytest.mark.parametrize(
    ("mode", "kind", "value", "expected"),
    [
        ("1", "PNG", 1, WHITE),
        ("1", "PNG", 0, BLACK),
        ("L", "PNG", 90, (90, 90, 90)),
        ("L", "JPEG", 90, (90, 90, 90)),
        ("CMYK", "JPEG", (0, 0, 0, 0), WHITE),
        ("CMYK", "JPEG", (0, 0, 0, 255), BLACK),
    ],
)
def test_every_mode_keeps_its_polarity_and_its_greys(mode, kind, value, expected):
    found = shown(encoded(PIL.Image.new(mode, (8, 8), value), kind)).getpixel((4, 4))
    assert all(abs(one - other) <= 2 for one, other in zip(found, expected, strict=True))


def test_a_palette_gives_its_colours():
    assert quarters(shown(encoded(corners(64).convert("P", palette=PIL.Image.Palette.ADAPTIVE)))) == [
        *(RED, GREEN),
        *(BLUE, WHITE),
    ]


def sixteen_bit(values: numpy.ndarray) -> bytes:
    return encoded(PIL.Image.fromarray(values.astype(numpy.uint16)))


@pytest.mark.parametrize(("low", "high"), [(0, 65535), (0, 4095), (1000, 1600), (30000, 65535)])
def test_a_sixteen_bit_ramp_keeps_its_greys_and_its_polarity(low, high):
    ramp = numpy.linspace(low, high, 256 * 256).reshape(256, 256)
    found = numpy.asarray(shown(sixteen_bit(ramp)))[:, :, 0]
    assert len(numpy.unique(found)) >= 250
    assert (numpy.diff(found.ravel().astype(int)) >= 0).all()
    assert (found.min(), found.max()) == (0, 255)


def test_a_bright_mark_does_not_cost_a_sixteen_bit_film_its_contrast():
    film = numpy.linspace(1000, 2000, 256 * 256).reshape(256, 256)
    film[0, :8] = 65535
    assert len(numpy.unique(numpy.asarray(shown(sixteen_bit(film))))) >= 250


def test_few_bright_points_on_black_are_not_lost():
    film = numpy.zeros((256, 256))
    film[5, 5] = 3000
    found = numpy.asarray(shown(sixteen_bit(film)))[:, :, 0]
    assert (found[5, 5], found.sum()) == (255, 255)


def test_a_sixteen_bit_film_of_one_value_is_no_division_by_zero():
    assert shown(sixteen_bit(numpy.full((8, 8), 700))).getpixel((3, 3)) == BLACK


def test_a_sixteen_bit_film_is_turned_too():
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    film = numpy.zeros((8, 8))
    film[7, 0] = 60000  # bottom left, which a clockwise quarter turn puts at the top left
    data = encoded(PIL.Image.fromarray(film.astype(numpy.uint16)), exif=exif)
    assert shown(data).getpixel((0, 0)) == WHITE


@pytest.mark.parametrize(("width", "height"), [(40, 20), (20, 40), (21, 10), (1, 50)])
def test_a_picture_stands_in_the_middle_of_a_black_square(width, height):
    found = numpy.asarray(shown(encoded(PIL.Image.new("L", (width, height), 255))))[:, :, 0]
    side = max(width, height)
    assert found.shape == (side, side)
    left, top = (side - width) // 2, (side - height) // 2
    expected = numpy.zeros((side, side), numpy.uint8)
    expected[top : top + height, left : left + width] = 255
    assert (found == expected).all()


@pytest.mark.parametrize(
    ("size", "side", "expected"), [((400, 300), 100, 100), ((60, 80), 100, 80), ((80, 60), 0, 80), ((400, 10), 40, 40)]
)
def test_a_large_picture_is_shrunk_to_the_side_and_a_small_one_is_left(size, side, expected):
    found = shown(encoded(PIL.Image.new("RGB", size, "white")), side)
    assert found.size == (expected, expected)
    assert found.getpixel(((expected - 1) // 2, (expected - 1) // 2)) == WHITE
    assert found.getpixel((0, 0)) == BLACK


def test_what_comes_out_carries_nothing_but_pixels():
    text = PngInfo()
    text.add_text("Comment", "CANARY-7731")
    exif = PIL.Image.Exif()
    exif[0x010E] = "CANARY-7731"
    png = square_png(encoded(corners(), pnginfo=text, exif=exif), base64_encoded=False, side=0)
    assert b"CANARY" not in png
    kinds, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kinds.append(png[at + 4 : at + 8])
        at += 12 + length
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.parametrize("size", [(13300, 13300), (2**31 - 1, 1), (50_000_001, 1), (7072, 7072)])
def test_a_bomb_is_refused_by_its_header_before_a_pixel_is_decoded(size, monkeypatch):
    monkeypatch.setattr(PIL.Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("it was decoded"))
    assert "pixels" in sentence(png_claiming(*size))


def test_a_line_of_pixels_is_refused():
    assert "too narrow" in sentence(encoded(PIL.Image.new("L", (pixels.MAX_RATIO * 2 + 1, 2))))


def test_the_largest_picture_that_is_read_is_read():
    side = int(pixels.MAX_PIXELS**0.5)
    assert "pixels" not in sentence(png_claiming(side, side)), "the limit itself is allowed"


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(EPS, id="EPS"),
        pytest.param(
            b"\xc5\xd0\xd3\xc6" + struct.pack("<6I", 32, len(EPS), 0, 0, 0, 0) + b"\0\0\0\0" + EPS, id="DOS EPS"
        ),
        pytest.param(SVG, id="SVG"),
        pytest.param(b"%PDF-1.7\n", id="PDF"),
        pytest.param(b"\0" * 128 + b"DICM" + b"\0" * 64, id="DICOM"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x89PNG\r\n\x1a\n", id="a PNG signature alone"),
        pytest.param(b"\xff\xd8\xff", id="a JPEG signature alone"),
        pytest.param(b"RIFF\x04\0\0\0WEBP", id="a WEBP signature alone"),
        pytest.param(b"PATIENT NAME", id="text"),
    ],
)
def test_what_is_none_of_the_three_formats_is_refused_whatever_it_is_called(data):
    assert sentence(data) == "The image is not a PNG, JPEG or WEBP file."


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP", "ICO", "PPM", "TGA", "PCX", "JPEG2000"])
def test_formats_that_pillow_could_read_are_refused_all_the_same(kind):
    assert sentence(encoded(corners(32), kind)) == "The image is not a PNG, JPEG or WEBP file."


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_file_that_ends_early_is_refused(kind):
    noise = numpy.random.default_rng(0).integers(0, 255, (64, 64, 3), numpy.uint8)
    data = encoded(PIL.Image.fromarray(noise), kind)
    for share in (0.3, 0.6, 0.9):
        assert "image is" in sentence(data[: int(len(data) * share)])


def test_bits_that_were_flipped_never_raise_anything_but_a_sentence():
    random = numpy.random.default_rng(1)
    for kind in ("PNG", "JPEG", "WEBP"):
        data = encoded(corners(32), kind)
        for _ in range(60):
            broken = bytearray(data)
            for place in random.integers(0, len(data), 3):
                broken[place] ^= 1 << int(random.integers(0, 8))
            with contextlib.suppress(Unreadable):
                shown(bytes(broken))


def test_a_compressed_text_does_not_fill_the_memory():
    bomb = zlib.compress(b"\0" * 80_000_000, 9)
    text = chunk(b"zTXt", b"Comment\0\0" + bomb)
    tracemalloc.start()
    started = time.process_time()
    with contextlib.suppress(Unreadable):
        shown(png_claiming(1, 1, text))
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert time.process_time() - started < 5


def test_a_sentence_never_quotes_the_file():
    for data in (b"CANARY-7731" * 9, png_claiming(1, 1, chunk(b"tEXt", b"CANARY-7731\0x"))[:-20]):
        assert "CANARY" not in sentence(data)


def test_an_animation_shows_its_first_picture():
    frames = [PIL.Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN)]
    for kind in ("PNG", "WEBP"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
        assert quarters(shown(data)) == [RED] * 4
