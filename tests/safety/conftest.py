"""One front for all that are asked without a socket."""

import pytest

from medserver.imaging import pool
from tests.safety.asked import opened


@pytest.fixture(scope="session")
def front():
    """Its decoders may take their time: what is measured here is what they say, on a machine that may be busy."""
    with pytest.MonkeyPatch.context() as patch, opened() as found:
        patch.setattr(pool, "SECONDS", 120.0)
        yield found
