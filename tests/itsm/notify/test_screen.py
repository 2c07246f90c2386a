from btimd.itsm.notify.screen import Screen
from btimd.model.notification import Means, NoticeKind, NoticeState
from btimd.runtime.clock import ManualClock
from tests.itsm.notify.examples import notice

SHOWN = notice(means=Means.SCREEN, channel="screen", address="")


async def test_who_looks_is_shown_it_and_who_comes_later_finds_it(clock: ManualClock) -> None:
    screen = Screen(clock)
    waits = await screen.send(SHOWN)
    watching = screen.watch("zhang")
    other = screen.watch("li")
    centre = screen.watch("")

    assert screen.watching == {"zhang", "li"}
    shown = await screen.send(notice(id="n-2", kind=NoticeKind.REMINDER))
    assert (waits.state, shown.state) == (NoticeState.ACCEPTED_BY_GATEWAY, NoticeState.DELIVERED)
    assert list(watching.snapshot) == [SHOWN]
    assert [row.id for row in await anext(watching.changes())] == ["n-2"]
    assert list(other.snapshot) == []
    assert [row.id for row in centre.snapshot] == ["n-1"]
    watching.close()
    watching.close()
    other.close()
    centre.close()
    assert screen.watching == frozenset()
    assert (await screen.send(SHOWN)).state is NoticeState.ACCEPTED_BY_GATEWAY


async def test_a_repetition_takes_the_place_of_the_first_and_yesterdays_are_gone(clock: ManualClock) -> None:
    screen = Screen(clock)
    await screen.send(SHOWN)
    await screen.send(notice(id="n-2"))
    assert [row.id for row in screen.watch("zhang").snapshot] == ["n-2"]
    clock.advance(86_401)
    assert list(screen.watch("zhang").snapshot) == []


async def test_what_is_over_is_not_shown_to_who_opens_a_screen_now(clock: ManualClock) -> None:
    over: set[str] = set()
    screen = Screen(clock, wanted=lambda one: one.id not in over)
    await screen.send(SHOWN)
    assert [row.id for row in screen.watch("zhang").snapshot] == ["n-1"]
    over.add("n-1")
    assert list(screen.watch("zhang").snapshot) == []


async def test_what_was_shown_before_a_restart_is_shown_again(clock: ManualClock) -> None:
    screen = Screen(clock)
    screen.restore([SHOWN, notice(id="n-2", person="li", due_at=SHOWN.due_at - 90_000)])
    assert [row.id for row in screen.watch("").snapshot] == ["n-1"]
