"""Pictures at their worst, through the real decoders: a sentence or pixels, soon, and the front hardly notices.

What the pixels of good pictures must be is in tests/imaging/test_pixels.py: grey levels, polarity, EXIF 1 to 8, CMYK.
"""

import asyncio
import base64
import io

import numpy
import orjson
import PIL.Image
import psutil
import pytest

from medserver.imaging.pool import DecoderPool
from tests.safety import pictures
from tests.safety.asked import Front

GROWTH = 50_000_000


def given(front: Front, data: bytes):
    image = base64.b64encode(data).decode()
    return front.ask("/api/chat", orjson.dumps({"messages": [{"role": "user", "content": "x", "image_data": [image]}]}))


@pytest.fixture(scope="module", autouse=True)
def _warm(front: Front):
    assert given(front, pictures.harmless()).status == 200


def test_what_is_no_picture_is_refused_with_a_sentence(front: Front):
    before = psutil.Process().memory_info().rss
    for name, data in pictures.refused():
        answer = given(front, data)
        assert (answer.status, orjson.loads(answer.body)["code"]) == (400, "bad_image"), name
        assert given(front, pictures.harmless()).status == 200, f"after {name}"
    assert psutil.Process().memory_info().rss - before < GROWTH


def test_what_only_looks_dangerous_is_borne(front: Front):
    before = psutil.Process().memory_info().rss
    for name, data in pictures.borne():
        assert given(front, data).status in (200, 400), name
        assert given(front, pictures.harmless()).status == 200, f"after {name}"
    assert psutil.Process().memory_info().rss - before < GROWTH


def test_ten_of_the_worst_at_once(front: Front):
    bomb = base64.b64encode(pictures.png(20_000, 20_000, pictures.zeros(20_000_000))).decode()
    messages = [{"role": "user", "content": "x", "image_data": [bomb] * 10}]
    assert front.ask("/api/chat", orjson.dumps({"messages": messages})).status == 400
    assert given(front, pictures.harmless()).status == 200


def test_a_form_bears_the_same(front: Front):
    for name, data in pictures.refused():
        body = (
            b'--e\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' + data + b"\r\n--e--\r\n"
        )
        assert front.ask("/api/analyze", body, **{"content-type": "multipart/form-data; boundary=e"}).status == 400, (
            name
        )


@pytest.mark.parametrize("bits", [12, 16])
def test_a_deep_film_keeps_its_greys_through_the_decoder_process(bits):
    async def scene():
        pool = DecoderPool(0, 1)
        try:
            return await asyncio.wait_for(pool.decode(pictures.ramp(bits), base64_encoded=False), 60)
        finally:
            await pool.close()

    found = numpy.asarray(PIL.Image.open(io.BytesIO(asyncio.run(scene()).png))).astype(int)
    assert len(numpy.unique(found)) >= 250
    assert (numpy.diff(found.ravel()) >= 0).all(), "dark stays dark"
