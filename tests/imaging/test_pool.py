"""Decoders may die, hang or lie still; the pool goes on, and the client gets a sentence."""

import asyncio
import base64
import io
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import PIL.Image
import pytest

from medserver.errors import BadRequest
from medserver.imaging import pool as pool_module
from medserver.imaging.decoder import serve
from medserver.imaging.pool import DecoderPool
from medserver.imaging.wire import ANSWER, JOB
from tests.scripted import run

SIDE = 32


def png(colour="red", size=(40, 20)) -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def colour_of(image) -> tuple:
    found = PIL.Image.open(io.BytesIO(image.png))
    assert found.size == (SIDE, SIDE)
    return found.getpixel((SIDE // 2, SIDE // 2))


@asynccontextmanager
async def opened(count=1):
    pool = DecoderPool(SIDE, count)
    try:
        yield pool
    finally:
        processes = [decoder._process for decoder in pool._decoders if decoder._process]
        await pool.close()
        assert all(process.returncode is not None for process in processes), "a decoder was left behind"


def pid(pool) -> int:
    return pool._decoders[0]._process.pid


async def refusal(pool, payload, **options) -> BadRequest:
    with pytest.raises(BadRequest) as refused:
        await pool.decode(payload, **{"base64_encoded": False} | options)
    assert (refused.value.status, refused.value.code) == (400, "bad_image")
    return refused.value


def test_pictures_come_back_as_squares_each_to_its_own_asker():
    async def scene():
        async with opened(2) as pool:
            colours = [(red, 0, 255 - red) for red in range(0, 250, 25)]
            images = await asyncio.gather(*(pool.decode(png(one), base64_encoded=False) for one in colours))
            assert [colour_of(image) for image in images] == colours
            image = await pool.decode(base64.b64encode(png("blue")), base64_encoded=True)
            assert colour_of(image) == (0, 0, 255)

    run(scene())


def test_garbage_is_refused_and_the_decoder_lives_on():
    async def scene():
        async with opened() as pool:
            await pool.warm_up()
            first = pid(pool)
            await refusal(pool, b"PATIENT")
            await refusal(pool, b"")
            await refusal(pool, b"!!", base64_encoded=True)
            assert "PATIENT" not in (await refusal(pool, b"PATIENT!", base64_encoded=True)).sentence
            assert colour_of(await pool.decode(png(), base64_encoded=False)) == (255, 0, 0)
            assert pid(pool) == first

    run(scene())


def test_a_decoder_that_was_killed_is_replaced():
    async def scene():
        async with opened() as pool:
            await pool.warm_up()
            process = pool._decoders[0]._process
            process.kill()
            await process.wait()
            assert colour_of(await pool.decode(png("lime"), base64_encoded=False)) == (0, 255, 0)
            assert pid(pool) != process.pid

    run(scene())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
def test_a_decoder_that_dies_over_a_picture_refuses_that_one_only():
    async def scene():
        async with opened() as pool:
            await pool.decode(png(), base64_encoded=False)
            process = pool._decoders[0]._process
            os.kill(process.pid, signal.SIGSTOP)
            first = asyncio.create_task(refusal(pool, png()))
            second = asyncio.create_task(pool.decode(png("blue"), base64_encoded=False))
            await asyncio.sleep(0.05)
            os.kill(process.pid, signal.SIGKILL)
            assert "limits" in (await first).sentence
            assert colour_of(await second) == (0, 0, 255)

    run(scene())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
def test_a_decoder_that_hangs_is_ended_after_its_time(monkeypatch):
    async def scene():
        async with opened() as pool:
            await pool.decode(png(), base64_encoded=False)
            process = pool._decoders[0]._process
            os.kill(process.pid, signal.SIGSTOP)
            monkeypatch.setattr(pool_module, "SECONDS", 0.2)
            assert "limits of time" in (await refusal(pool, png())).sentence
            assert await process.wait() == -signal.SIGKILL
            monkeypatch.setattr(pool_module, "SECONDS", 20)
            assert colour_of(await pool.decode(png("blue"), base64_encoded=False)) == (0, 0, 255)

    run(scene())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
def test_an_asker_that_leaves_ends_the_work_and_the_next_gets_its_own_picture():
    async def scene():
        async with opened() as pool:
            await pool.decode(png(), base64_encoded=False)
            process = pool._decoders[0]._process
            os.kill(process.pid, signal.SIGSTOP)
            asking = asyncio.create_task(pool.decode(png("red"), base64_encoded=False))
            await asyncio.sleep(0.05)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            assert asking.cancelled()
            assert await process.wait() == -signal.SIGKILL
            assert colour_of(await pool.decode(png("blue"), base64_encoded=False)) == (0, 0, 255)

    run(scene())


@pytest.mark.skipif(sys.platform == "win32", reason="limits are POSIX")
def test_a_decoder_can_write_no_file_and_dump_no_core():
    async def scene():
        async with opened() as pool:
            await pool.decode(png(), base64_encoded=False)
            lines = Path(f"/proc/{pid(pool)}/limits").read_text().splitlines()  # noqa: ASYNC240
            limits = {line[:25].strip(): line[25:].split() for line in lines}
            assert limits["Max file size"][:2] == ["0", "0"]
            assert limits["Max core file size"][:2] == ["0", "0"]
            assert limits["Max address space"][0].isdigit()

    if not os.path.exists("/proc/self/limits"):
        pytest.skip("no /proc here")
    run(scene())


def test_closing_ends_every_decoder_and_a_pool_that_was_never_used_closes_too():
    async def scene():
        async with opened(2) as pool:
            await pool.warm_up()
        async with opened(2):
            pass

    run(scene())


def test_a_decoder_that_cannot_start_is_not_the_clients_fault(monkeypatch):
    async def scene():
        monkeypatch.setattr(pool_module.sys, "executable", "/nowhere/python")
        async with opened() as pool:
            with pytest.raises(Exception) as refused:  # noqa: PT011
                await pool.decode(png(), base64_encoded=False)
            assert getattr(refused.value, "status", 500) >= 500

    run(scene())


def test_the_decoder_answers_job_after_job_and_stops_when_its_input_ends():
    jobs = b"".join(JOB.pack(SIDE, False, len(data)) + data for data in (png(), b"garbage", png("blue")))
    out = io.BytesIO()
    serve(io.BytesIO(jobs + b"\0"), out)
    out.seek(0)
    answers = []
    while head := out.read(ANSWER.size):
        good, length = ANSWER.unpack(head)
        answers.append((good, out.read(length)[:4]))
    assert answers == [(True, b"\x89PNG"), (False, b"The "), (True, b"\x89PNG")]
