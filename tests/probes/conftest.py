from collections.abc import Iterator

import pytest

from tests.probes.chain import Chain, chain


@pytest.fixture(scope="session")
def routers() -> Iterator[Chain]:
    """A chain of routers in network namespaces; each test takes back what it breaks."""
    with chain() as made:
        yield made
