"""Log lines."""

import io
import logging

from btimd.runtime.log import Log, OncePerInterval, configure


def test_a_line_is_an_event_with_values_and_hostile_values_stay_on_it() -> None:
    stream = io.StringIO()
    before = logging.getLogger("btimd").handlers[:]
    configure("info", stream)
    try:
        Log("capture").warning("template-refused", exporter="10.0.0.1", reason='a "b"\nERROR forged=1', empty="")
        Log("capture").debug("unseen")
    finally:
        logging.getLogger("btimd").handlers[:] = before

    assert stream.getvalue() == (
        'WARNING btimd.capture template-refused exporter=10.0.0.1 reason="a \\"b\\"\\nERROR forged=1" empty=""\n'
    )


def test_a_flood_passes_once_per_interval_with_the_count_of_those_held_back() -> None:
    gate = OncePerInterval(60)

    assert [gate.take(now) for now in (0, 1, 59, 60, 61, 200)] == [0, None, None, 2, None, 1]
