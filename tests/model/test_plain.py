import json
from typing import Any

import pytest

from btimd.model.incident import (
    Dispatch,
    Impact,
    ImpactAssessment,
    Incident,
    ServiceClock,
    TicketReference,
    TimerDue,
)
from btimd.model.plain import from_plain, to_plain
from tests.store.examples import incident

ORDER = Dispatch("I1/1", 1, 1, 1, "ann", "db", by_hand=False, sent_at=1.5, accept_by=2.5)


def test_a_record_of_records_comes_back_from_json_as_it_was() -> None:
    row = incident()
    full = Incident(
        **{
            **{name: getattr(row, name) for name in row.__slots__},
            "dispatch": ORDER,
            "excluded": ("ann", "bob"),
            "response": ServiceClock(due_at=3.25),
            "references": (TicketReference("rt", "7", 3),),
            "timers": (TimerDue("wait", 9.5, 2),),
            "first_time_fix": False,
        }
    )

    assert from_plain(Incident, json.loads(json.dumps(to_plain(full)))) == full


def test_what_another_release_wrote_is_read_as_far_as_it_is_known() -> None:
    plain = {"businesses": ["erp"], "users": 3, "invented_later": {"x": 1}}

    assert from_plain(ImpactAssessment, plain) == ImpactAssessment(("erp",), (), 3)
    assert from_plain(float, 3) == 3.0


@pytest.mark.parametrize(
    ("hint", "plain"),
    [
        (int, "3"),
        (str, None),
        (float, True),
        (Impact, 9),
        (ServiceClock, {"due_at": "soon"}),
        (TimerDue, {"name": "x"}),
    ],
)
def test_what_is_no_such_value_is_refused(hint: Any, plain: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        from_plain(hint, plain)
