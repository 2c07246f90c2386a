from btimd.itsm.notify.pace import Pace


def test_the_twenty_first_message_waits_for_the_first_to_be_a_minute_old() -> None:
    pace = Pace(20)
    for second in range(20):
        assert pace.free_at(1000.0 + second) == 1000.0 + second
        pace.sent(1000.0 + second)

    assert pace.free_at(1020.0) == 1060.0
    assert pace.free_at(1060.0) == 1060.0


def test_a_clock_that_is_set_back_starts_anew() -> None:
    pace = Pace(1)
    pace.sent(1000.0)

    assert pace.free_at(10.0) == 10.0
