import pytest

from btimd.runtime.clock import ManualClock
from tests.itsm.notify.examples import NOW


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that stands at the examples' time."""
    return ManualClock(NOW)
