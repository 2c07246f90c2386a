"""What was held back by another release."""

import json

from btimd.daemon.heldreports import report_from_json, report_to_json
from tests.itsm.examples import report


def test_what_a_newer_release_added_is_passed_over() -> None:
    plain = json.loads(report_to_json(report()))

    assert report_from_json(json.dumps({**plain, "mood": "good"})) == report()
