from btimd.itsm.timestamp import rfc3339, utc_day


def test_times_are_utc_with_milliseconds() -> None:
    assert rfc3339(1_700_000_000.0) == "2023-11-14T22:13:20.000Z"
    assert rfc3339(1_700_000_000.9999) == "2023-11-14T22:13:20.999Z"
    assert utc_day(1_700_000_000.0) == "20231114"
