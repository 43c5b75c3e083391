"""Who is asking, and under which name an engine may know them."""

from hashlib import blake2b

from starlette.requests import Request


def client_of(request: Request) -> str:
    """The name under which limits are kept, as the door found it: a key, a session, else an address."""
    return request.state.visitor.counted


def salt_of(client: str, key: bytes) -> str:
    """A name for `client` that tells nothing of it; what an engine keeps for one salt is of no use to another.

    `key` is of this run: nobody can tell an address from its salt, nor one run from another.
    """
    return blake2b(client.encode(), key=key, digest_size=16).hexdigest()
