"""Connections to engines: as many as there are answers, each of which holds little that nobody has read yet."""

import socket

import aiohttp

RECEIVE_BUFFER = 16 * 1024  # bytes in the kernel, and of one read: what piles up here for a slow reader lies in memory


def connector() -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(limit=0, socket_factory=_socket)


def _socket(address: tuple) -> socket.socket:
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    return made
