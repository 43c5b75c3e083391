"""Who waits for a flag goes on once it is set, and nobody is in anybody's way."""

import asyncio

from medserver.flag import Flag
from tests.scripted import run, turns


def test_a_flag_that_is_set_is_not_waited_for():
    async def scene():
        flag = Flag(True)
        await asyncio.wait_for(flag.wait(), 5)
        flag.clear()
        assert not flag.is_set()

    run(scene())


def test_all_who_wait_go_on_but_for_one_who_has_given_up():
    async def scene():
        flag = Flag()
        waiting = [asyncio.create_task(flag.wait()) for _ in range(3)]
        await turns(2)
        assert not any(task.done() for task in waiting)
        waiting[0].cancel()
        await turns(2)
        flag.set()
        await asyncio.gather(*waiting[1:])
        assert waiting[0].cancelled() and flag.is_set()

    run(scene())
