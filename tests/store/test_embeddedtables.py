"""Which rule of retention a series falls under, and how names are quoted."""

import pytest

from btimd.store.embeddedtables import Retention, quoted


@pytest.mark.parametrize(
    ("measurement", "tags", "days"),
    [
        ("flows", {"interval": "10s", "business": "erp"}, 2),
        ("flows", {"interval": "60s", "business": "erp"}, 30),
        ("flows", {"interval": "10s", "business": "hr"}, 7),
        ("flows", {}, 30),
        ("probes", {"interval": "10s"}, 400),
    ],
)
def test_the_rule_with_the_most_tags_that_fit_counts(measurement: str, tags: dict[str, str], days: int) -> None:
    retention = Retention(
        400 * 86400.0,
        {
            "flows": 30 * 86400.0,
            "flows,interval=10s,business=hr": 7 * 86400.0,
            "flows,interval=10s": 2 * 86400.0,
        },
    )
    assert retention.milliseconds(measurement, tuple(tags.items())) == days * 86_400_000


def test_a_quote_in_a_name_ends_nothing() -> None:
    assert quoted('a"b') == '"a""b"'
