"""One front for all that are asked without a socket."""

import pytest

from tests.safety.asked import opened


@pytest.fixture(scope="session")
def front():
    with opened() as found:
        yield found
