"""Pictures that were made to hurt, each a few kilobytes, and those that only look as if."""

import io
import struct
import zlib
from collections.abc import Iterator
from functools import cache

import numpy
import PIL.Image

PNG = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: bytes, *more: bytes, depth: int = 8, colour: int = 0) -> bytes:
    """`rows`: already compressed."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return PNG + chunk(b"IHDR", head) + b"".join(more) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@cache
def zeros(count: int) -> bytes:
    """`count` zero bytes, compressed, without ever holding them."""
    deflate = zlib.compressobj(9)
    out, step = [], bytes(1 << 20)
    for _ in range(count >> 20):
        out.append(deflate.compress(step))
    return b"".join([*out, deflate.compress(bytes(count & 0xFFFFF)), deflate.flush()])


def encoded(image: PIL.Image.Image, kind: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg_claiming(width: int, height: int) -> bytes:
    """A JPEG of a few bytes whose frame claims any size."""
    data = bytearray(encoded(PIL.Image.new("L", (8, 8)), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def animation(frames: int) -> bytes:
    """An APNG: one pixel and its frames, written by hand, because Pillow would merge what is the same."""
    control = struct.pack(">IIIIHHBB", 1, 1, 0, 0, 1, 1, 0, 0)
    row = zlib.compress(b"\0\0")
    more = [chunk(b"acTL", struct.pack(">II", frames, 0)), chunk(b"fcTL", struct.pack(">I", 0) + control)]
    after = b"".join(
        chunk(b"fcTL", struct.pack(">I", 2 * n - 1) + control) + chunk(b"fdAT", struct.pack(">I", 2 * n) + row)
        for n in range(1, frames)
    )
    return png(1, 1, row, *more).replace(chunk(b"IEND", b""), after + chunk(b"IEND", b""))


def tiff_loop() -> bytes:
    """A directory that names itself as the next."""
    return b"II*\0" + struct.pack("<IHHHII", 8, 1, 256, 4, 1, 1) + struct.pack("<I", 8)


def exif_loop() -> bytes:
    """A JPEG whose EXIF directory goes in a circle."""
    tiff = tiff_loop()
    return encoded(PIL.Image.new("RGB", (8, 8), "white"), "JPEG", exif=b"Exif\0\0" + tiff)


def harmless() -> bytes:
    return encoded(PIL.Image.new("RGB", (40, 30), "gray"))


def refused() -> Iterator[tuple[str, bytes]]:
    """What is no picture to be read."""
    for side in (13_300, 20_000, 65_500):
        yield f"PNG of {side} x {side}", png(side, side, zeros(20_000_000))
        yield f"JPEG of {side} x {side}", jpeg_claiming(side, side)
    yield "PNG of 2^31 x 2^31", png(2**31 - 1, 2**31 - 1, zeros(1000))
    yield "PNG of 1 x 65500", png(1, 65_500, zeros(2 * 65_500))
    yield "PNG of 65500 x 1", png(65_500, 1, zeros(65_501))
    yield "PNG of 0 x 0", png(0, 0, zeros(1))
    yield "TIFF loop", tiff_loop()
    whole = encoded(PIL.Image.effect_noise((64, 64), 90))
    for share in (10, 30, 50, 70, 90):
        yield f"{share} % of a PNG", whole[: len(whole) * share // 100]
    yield "EPS", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n%%EOF\n"
    yield "SVG", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:9/x"/></svg>'
    yield "SVG with an entity", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg>&e;</svg>'
    yield "FITS", (b"SIMPLE  =                    T".ljust(80) + b"END".ljust(80)).ljust(2880)
    yield "DICOM", bytes(128) + b"DICM" + bytes(64)
    yield "PDF", b"%PDF-1.7\n"
    yield "ZIP", b"PK\x05\x06" + bytes(18)
    yield "HTML before a PNG", b"<script>alert(1)</script>" + whole
    yield "GIF", encoded(PIL.Image.new("P", (8, 8)), "GIF")
    yield "a JPEG of twelve bits", b"\xff\xd8\xff\xc1\x00\x0b\x0c\x00\x08\x00\x08\x01\x01\x11\x00\xff\xd9"


def borne() -> Iterator[tuple[str, bytes]]:
    """What may be read or refused, and costs next to nothing either way."""
    bomb = zeros(80_000_000)
    yield "80 MB of compressed text", png(1, 1, zlib.compress(b"\0\0"), chunk(b"zTXt", b"Comment\0\0" + bomb))
    yield (
        "80 MB of compressed international text",
        png(1, 1, zlib.compress(b"\0\0"), chunk(b"iTXt", b"Comment\0\1\0\0\0" + bomb)),
    )
    yield "80 MB of compressed colour profile", png(1, 1, zlib.compress(b"\0\0"), chunk(b"iCCP", b"x\0\0" + bomb))
    yield "more rows than it has", png(8, 8, bomb)
    yield "10,000 frames", animation(10_000)
    yield "10,000 texts", png(1, 1, zlib.compress(b"\0\0"), *[chunk(b"tEXt", b"a\0b")] * 10_000)
    yield "an EXIF in a circle", exif_loop()
    yield "PNG and ZIP", harmless() + b"PK\x05\x06" + bytes(18)
    yield "PNG and HTML", harmless() + b"<script>alert(1)</script>"
    yield "PNG with a tail of 5 MB", harmless() + bytes(5_000_000)


def ramp(bits: int) -> bytes:
    """All values of `bits`, dark to bright, as 16-bit grey."""
    values = numpy.linspace(0, 2**bits - 1, 256 * 256).reshape(256, 256).astype(numpy.uint16)
    return encoded(PIL.Image.fromarray(values))
