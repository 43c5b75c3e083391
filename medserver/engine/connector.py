"""Connections to engines: as many as there are answers, each of which holds little that nobody has read yet."""

import aiohttp

RECEIVE_BUFFER = 16 * 1024  # bytes of one read: what piles up here for a slow reader lies in memory


def connector() -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(limit=0)
