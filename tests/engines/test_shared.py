"""An engine that another process keeps: asked as its keeper would, over what the keeper says of it."""

import asyncio
import json

import pytest

from medserver.chat import Sampling
from medserver.crew.line import packed, unpacked
from medserver.engine.base import Ask
from medserver.engine.host import EngineStatus, Standing
from medserver.engine.patience import Patience
from medserver.engine.shared import SharedHost
from medserver.errors import EngineLost, Unavailable
from tests.engines.test_host import STAYS, Stage, ready

ASK = Ask([{"role": "user", "content": "x"}], Sampling(9, 0.0, 1.0), 9)


def heard(shared: SharedHost, stage: Stage) -> None:
    """As it goes over the line."""
    shared.hear(unpacked(Standing, json.loads(json.dumps(packed(stage.host.standing)))))


def test_it_is_asked_while_it_runs_and_refused_as_at_home_while_not():
    async def play():
        shared = SharedHost(Standing(EngineStatus("odd"), ("odd",), 32), lambda port, why: None)
        shared.start()
        with pytest.raises(Unavailable) as refused:
            shared.engine()
        assert refused.value.code == "loading"
        async with Stage(STAYS) as stage:
            stage.host.on_change = lambda: heard(shared, stage)
            await stage.until(ready)
            assert shared.status == stage.host.status and shared.slots == stage.host.slots
            assert shared.engine().facts == stage.host.engine().facts
            stream = shared.engine().stream(ASK)
            assert (await anext(stream)).text == "begun"
            assert shared.engine() is shared.engine()
            await stream.aclose()
        with pytest.raises(Unavailable):
            shared.engine()
        await shared.close()

    asyncio.run(play())


def test_one_that_falls_silent_in_the_middle_of_an_answer_is_told_of_and_started_again():
    async def play():
        async with Stage(STAYS, patience=Patience(between=0.3)) as stage:
            await stage.until(ready)
            shared = SharedHost(stage.host.standing, stage.host.failing)
            shared.start()
            stage.host.failing(1, "x")  # of an engine that is gone
            stream = shared.engine().stream(ASK)
            await anext(stream)
            with pytest.raises(EngineLost):
                await asyncio.wait_for(anext(stream), 10)
            status = await stage.until(lambda status: status.restarts == 1)
            await shared.close()
            return status

    assert asyncio.run(play()).why == "The engine stopped in the middle of an answer."
