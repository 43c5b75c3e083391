"""`python -m medserver.worker`: reads its orders, opens its port, loads the model, serves until its parent goes.

Standard input carries the orders and then stays open: its end means that the parent is gone. Standard output
carries lines of JSON to the parent, first the port, at the end the reason of a failed start.
"""

import asyncio
import contextlib
import gc
import json
import logging
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiohttp import web

from medserver import logs
from medserver.worker.checkpoint import sentence_of
from medserver.worker.orders import Orders
from medserver.worker.server import WorkerServer

log = logging.getLogger("medserver.worker")


def tell(**message: object) -> None:
    """One line to the parent, which may already be gone."""
    with contextlib.suppress(OSError):
        os.write(_parent, json.dumps(message).encode() + b"\n")


def watch_parent() -> None:
    """End at once when standard input ends, however the parent died."""
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


async def serve(orders: Orders) -> None:
    server = WorkerServer(orders)
    runner = web.AppRunner(server.app(), handler_cancellation=True, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    tell(port=site._server.sockets[0].getsockname()[1])
    owner = ThreadPoolExecutor(1, thread_name_prefix="model")
    loop = asyncio.get_running_loop()
    try:
        model, scheduler = await loop.run_in_executor(owner, load, orders, server)
    except Exception as error:
        tell(failed=sentence_of(error))
        raise
    server.open(model, scheduler)
    log.info("model ready after %.1f s", model.load_seconds)
    await loop.run_in_executor(owner, scheduler.run)


def load(orders: Orders, server: WorkerServer):
    """Import torch, load the weights. Runs on the thread that will own the device ever after."""
    server.loading.report("libraries", 0, 1)
    # The weights are here, so no library has anything to ask of anybody.
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    import torch

    from medserver.worker.loading import load as load_model
    from medserver.worker.memory import Budget, kv_budget
    from medserver.worker.scheduler import Scheduler

    for device in range(torch.cuda.device_count()):
        torch.cuda.set_per_process_memory_fraction(orders.gpu_memory_utilization, device)
    model = load_model(Path(orders.source), quantize=orders.quantize, progress=server.loading.report)
    budget = (
        Budget.of(orders.kv_bytes) if orders.kv_bytes else kv_budget(model.plan.device, orders.gpu_memory_utilization)
    )
    limits = {"slots": orders.slots, "max_model_len": orders.max_model_len, "budget": budget}
    scheduler = Scheduler(model, server.deliver, **limits)
    # What is here by now stays. Python's collector would walk over all of it, 400,000 objects, and every answer would
    # wait meanwhile: 40 to 100 ms in one step of 12 (measured), each few hundred steps.
    gc.collect()
    gc.freeze()
    return model, scheduler


def main() -> int:
    orders = Orders.from_line(sys.stdin.buffer.readline())
    logs.configure(orders.log_level)
    threading.Thread(target=watch_parent, daemon=True).start()
    try:
        asyncio.run(serve(orders))
    except Exception as error:
        log.error("the worker ends: %s", type(error).__name__)
        # Not sys.exit: the model's thread may still hold the interpreter in a forward pass.
        os._exit(1)
    return 0


if __name__ == "__main__":
    # Whatever a library prints must not be taken for a message to the parent.
    _parent = os.dup(1)
    os.dup2(2, 1)
    sys.exit(main())
