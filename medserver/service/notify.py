"""A word to systemd on the socket it names; nothing where there is none."""

import contextlib
import os
import socket


def notify(state: str) -> None:
    """Say `READY=1`, `STOPPING=1` or the like (sd_notify)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    if address.startswith("@"):  # the abstract namespace
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram:
        datagram.sendto(state.encode(), address)
