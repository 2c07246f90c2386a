import json
from dataclasses import replace
from datetime import UTC

import pytest

from btimd.cli.ctl_text import clean, full_moment, json_line, moment, percent, quantity, span
from btimd.model.incident import Dispatch
from btimd.model.points import SeriesRow
from tests.fakes.views import INCIDENT, NOW, OPENED


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0042, "0.0042 s"),
        (12.0, "12 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_length_of_time_has_at_most_two_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (999, "999 B"), (5_000_000, "5 MB"), (88_040_000, "88 MB"), (2.5e15, "2500 TB")]
)
def test_a_quantity_has_a_prefix(value: float, text: str) -> None:
    assert quantity(value, "B") == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(None, "unmeasured"), (0.99999, "99.99 %"), (1.0, "100.00 %"), (0.57, "57.00 %"), (0.0, "0.00 %")],
)
def test_a_share_is_never_rounded_up(ratio: float | None, text: str) -> None:
    assert percent(ratio, 2) == text


def test_a_moment_is_written_in_its_zone_and_none_as_a_dash() -> None:
    assert (moment(NOW, UTC), moment(None)) == ("09-21 14:13:20", "-")
    assert (full_moment(NOW, UTC), full_moment(None)) == ("2026-09-21 14:13:20 +0000", "-")


def test_text_cannot_steer_the_terminal() -> None:
    assert clean("a\x1b[31m\x9bb\u202ec\nd") == "a\ufffd[31m\ufffdb\ufffdc\nd"


def test_json_has_words_for_members_and_rfc_3339_for_moments() -> None:
    found = json.loads(json_line(INCIDENT))

    assert {key: found[key] for key in ("state", "impact", "priority", "opened_at", "accepted_at", "assessment")} == {
        "state": "new",
        "impact": "high",
        "priority": "p2",
        "opened_at": "2026-09-21T14:13:22.000Z",
        "accepted_at": None,
        "assessment": {"businesses": ["erp", "hr"], "regions": ["Shanghai"], "users": 37, "users_exact": False},
    }
    assert json.loads(json_line(OPENED))["details"] == {"verdict": "v1"}


def test_every_moment_of_an_incident_is_one_in_json_whatever_it_is_called() -> None:
    order = Dispatch("INC-1/1", 1, 1, 1, "ann", "noc", False, NOW, NOW + 60.0)
    found = json.loads(
        json_line(replace(INCIDENT, dispatch=order, pending_until=NOW, pending_since=NOW, stage_eta=NOW))
    )

    assert found["dispatch"]["accept_by"] == "2026-09-21T14:14:20.000Z"
    assert {found[key] for key in ("pending_until", "pending_since", "stage_eta")} == {"2026-09-21T14:13:20.000Z"}


def test_json_stays_one_line_of_harmless_characters_and_finite_numbers() -> None:
    line = json_line(SeriesRow(0, ("a\nb\x1b\x9b中",), (float("nan"), 1.5)))

    assert line == '{"time_milliseconds": 0, "tags": ["a\\nb\\u001b\\u009b中"], "values": [null, 1.5]}'
