"""By when an incident must be responded to and resolved."""

from btimd.model.agreement import AgreementKind, Promise
from btimd.model.incident import Priority
from btimd.sla.promises import agreements_of, earliest, promise, promises
from tests.sla.agreeing import HOUR, MINUTE, OFFICE, agreement, covering, moment, targets

FRIDAY = moment("13 17:00")


def test_time_to_resolve_passes_in_service_time() -> None:
    due = moment("16 12:00")

    assert promise(
        agreement(calendar=OFFICE), 4 * HOUR, opened_at=FRIDAY, done_at=None, now=moment("14 12:00")
    ) == Promise("bank", 4 * HOUR, due, None, missed=False, left_seconds=3 * HOUR)


def test_a_promise_is_missed_after_the_moment_it_is_due() -> None:
    due = moment("16 12:00")

    def missed(now: float, done_at: float | None = None) -> bool:
        return promise(agreement(calendar=OFFICE), 4 * HOUR, opened_at=FRIDAY, done_at=done_at, now=now).missed

    assert [missed(due), missed(due + 1), missed(due + 99, due), missed(due + 99, due + 1)] == [
        False,
        True,
        False,
        True,
    ]


def test_paused_time_moves_what_is_due() -> None:
    one = promise(
        agreement(calendar=OFFICE), HOUR, opened_at=FRIDAY, done_at=None, now=FRIDAY, paused_seconds=30 * MINUTE
    )

    assert one.due_at == moment("16 09:30")


def test_what_was_resolved_was_responded_to_and_what_was_not_promised_is_never_missed() -> None:
    one = agreement(response=targets(P1=10))
    responded, resolved = promises(one, Priority.P1, opened_at=0.0, accepted_at=None, resolved_at=300.0, now=10_000.0)

    assert responded == Promise("bank", 600.0, 600.0, 300.0, missed=False, left_seconds=0.0)
    assert resolved == Promise("bank", None, None, 300.0, missed=False, left_seconds=None)


def test_an_incident_falls_under_what_covers_its_businesses_and_its_cause() -> None:
    everything = [
        agreement("bank"),
        agreement("mail", businesses=("mail",)),
        agreement("soon", draft=True),
        covering("dba", "db1"),
        covering("isp", "line1", kind=AgreementKind.UC),
    ]
    covers = {"dba": frozenset({"db1", "host1"}), "isp": frozenset({"line1"})}
    found = agreements_of(everything, businesses=["erp"], cause="host1", covers=covers)

    assert [one.name for one in found] == ["bank", "dba"]


def test_the_promise_that_is_due_first_counts() -> None:
    def due(name: str, at: float | None) -> Promise:
        return Promise(name, at, at, None, missed=False, left_seconds=None)

    assert earliest([due("a", 5.0), due("b", None), due("c", 4.0)]) == due("c", 4.0)
    assert earliest([due("b", None)]) is None
    assert earliest([]) is None
