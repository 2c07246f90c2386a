"""When a device is asked."""

from btimd.probes.pollschedule import Pace, Poll, PollSchedule


def schedule(phase: float = 0.5) -> PollSchedule:
    one = PollSchedule(every=600, counters_every=60, back_off_max=300, phase=phase)
    one.start(1000.0)
    return one


def test_devices_are_spread_over_the_first_period() -> None:
    assert [schedule(phase).due() for phase in (0.0, 0.5, 0.9)] == [
        (1000.0, Poll.EVERYTHING),
        (1030.0, Poll.EVERYTHING),
        (1054.0, Poll.EVERYTHING),
    ]


def test_everything_now_and_then_counters_often() -> None:
    one = schedule()
    polls = []
    for _ in range(12):
        due_at, poll = one.due()
        polls.append((due_at, poll))
        one.done(poll, due_at + 2.0)

    assert polls == [
        (1030.0, Poll.EVERYTHING),
        *((1030.0 + 60 * beat, Poll.COUNTERS) for beat in range(1, 10)),
        (1630.0, Poll.EVERYTHING),
        (1690.0, Poll.COUNTERS),
    ]


def test_beats_that_a_long_poll_ran_over_are_left_out() -> None:
    one = schedule(0.0)
    one.done(Poll.EVERYTHING, 1130.0)

    assert one.due() == (1180.0, Poll.COUNTERS)


def test_pauses_double_while_a_device_is_silent() -> None:
    one = schedule(0.0)
    one.done(Poll.EVERYTHING, 1001.0)
    pauses = []
    now = 1060.0
    for _ in range(5):
        one.failed(now)
        due_at, poll = one.due()
        assert poll is Poll.EVERYTHING
        pauses.append(due_at - now)
        now = due_at
    assert pauses == [60.0, 120.0, 240.0, 300.0, 300.0]

    one.done(Poll.EVERYTHING, now + 1)
    assert one.failures == 0
    assert one.due() == (now + 61, Poll.COUNTERS)


def test_a_changed_device_is_read_whole_at_once() -> None:
    one = schedule(0.0)
    one.done(Poll.EVERYTHING, 1001.0)
    one.want_everything(1062.0)

    assert one.due() == (1062.0, Poll.EVERYTHING)


def test_requests_are_spaced() -> None:
    pace = Pace(per_second=4)

    assert [pace.take(now) for now in (0.0, 0.0, 0.5, 0.6, 9.0)] == [0.0, 0.25, 0.0, 0.15000000000000002, 0.0]
