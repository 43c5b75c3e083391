"""For how long a real server waits for who connects, with TLS and without."""

import asyncio

from medserver import hurry
from medserver.access import tls
from medserver.access.body import IDLE_SECONDS
from medserver.config import Settings
from medserver.protocol import LINGER_SECONDS
from tests.front import until
from tests.safety.sockets import listening, said, said_over_tls
from tests.scripted import run

WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def _slow_answer(scope, receive, send) -> None:
    await receive()
    await asyncio.sleep(0.5)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def answers(said: list[bytes]) -> list[int]:
    return [one.count(b"204 No Content") for one in said]


def test_who_connects_and_asks_nothing_is_not_waited_for(monkeypatch):
    """Nor who asks the half, after a whole request too; an answer that takes long is not cut."""
    monkeypatch.setattr(hurry, "IDLE_SECONDS", 0.1)

    async def scene() -> None:
        async with listening(_slow_answer) as front:
            asked = (b"", WHOLE[:9], WHOLE, WHOLE + WHOLE[:9])
            assert answers(await asyncio.gather(*(said(front.port, sent) for sent in asked))) == [0, 0, 1, 1]

    run(scene())


def test_nor_over_tls_and_nobody_has_to_agree(monkeypatch, tmp_path):
    monkeypatch.setattr(hurry, "IDLE_SECONDS", 0.1)
    files = tls.tls_for(Settings(model="demo", tls="auto", state_dir=tmp_path))

    async def scene() -> None:
        async with listening(_slow_answer, files) as front:
            asked = (b"", WHOLE[:9], WHOLE, WHOLE + WHOLE[:9])
            heard = await asyncio.gather(*(said_over_tls(front.port, sent, files) for sent in asked))
            assert answers(heard) == [0, 0, 1, 1]

    run(scene())


def test_nor_is_half_a_handshake(monkeypatch, tmp_path):
    monkeypatch.setattr(hurry, "HANDSHAKE_SECONDS", 0.2)
    files = tls.tls_for(Settings(model="demo", tls="auto", state_dir=tmp_path))

    async def scene() -> None:
        async with listening(_slow_answer, files) as front:
            hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # 512 bytes are announced
            assert await asyncio.gather(said(front.port, b""), said(front.port, hello)) == [b"", b""]

    run(scene())


def test_half_a_handshake_does_not_keep_a_server_that_is_ended(tmp_path):
    files = tls.tls_for(Settings(model="demo", tls="auto", state_dir=tmp_path))

    async def scene() -> None:
        async with listening(_slow_answer, files) as front:
            before = len(asyncio.all_tasks())
            _, writer = await asyncio.open_connection("127.0.0.1", front.port)
            await until(lambda: len(asyncio.all_tasks()) > before)  # it has been let in
            front.server.should_exit = True
            await front.serving
            writer.close()

    run(scene())


def test_all_of_it_is_over_in_time():
    a_round = IDLE_SECONDS / hurry.ROUNDS
    closing = a_round * hurry.LAST_ROUNDS
    assert hurry.HANDSHAKE_SECONDS + a_round + IDLE_SECONDS + closing < 45, "half a head"
    assert hurry.HANDSHAKE_SECONDS + IDLE_SECONDS + LINGER_SECONDS + closing < 45, "half a body"
