"""What agreements promise for an incident: by when it is taken up and by when it is resolved, and whether it was."""

from collections.abc import Iterable, Mapping, Sequence

from btimd.model.agreement import Agreement, AgreementKind, Promise
from btimd.model.incident import Priority
from btimd.model.units import Seconds, UnixSeconds


def promise(
    agreement: Agreement,
    target_seconds: Seconds | None,
    *,
    opened_at: UnixSeconds,
    done_at: UnixSeconds | None,
    now: UnixSeconds,
    paused_seconds: Seconds = 0.0,
) -> Promise:
    """Return how one target of an incident stands. paused_seconds: service time that does not count.

    The target is missed after the moment it is due, not at it.
    """
    if target_seconds is None:
        return Promise(agreement.name, None, None, done_at, missed=False, left_seconds=None)
    due = agreement.calendar.add(opened_at, target_seconds + paused_seconds)
    moment = now if done_at is None else done_at
    left = 0.0 if done_at is not None else agreement.calendar.between(now, due)
    return Promise(agreement.name, target_seconds, due, done_at, missed=moment > due, left_seconds=left)


def promises(
    agreement: Agreement,
    priority: Priority,
    *,
    opened_at: UnixSeconds,
    accepted_at: UnixSeconds | None,
    resolved_at: UnixSeconds | None,
    now: UnixSeconds,
    paused_seconds: Seconds = 0.0,
) -> tuple[Promise, Promise]:
    """Return how response and resolution of an incident stand; what was resolved was also responded to by then."""
    responded = accepted_at if accepted_at is not None else resolved_at
    return (
        promise(agreement, agreement.response.get(priority), opened_at=opened_at, done_at=responded, now=now),
        promise(
            agreement,
            agreement.resolve.get(priority),
            opened_at=opened_at,
            done_at=resolved_at,
            now=now,
            paused_seconds=paused_seconds,
        ),
    )


def agreements_of(
    agreements: Iterable[Agreement], *, businesses: Sequence[str], cause: str, covers: Mapping[str, frozenset[str]]
) -> list[Agreement]:
    """Return the agreements an incident falls under: SLAs of the businesses hit, OLAs and UCs of its cause.

    covers: the nodes of each OLA and UC, with all below, by the agreement's name. Drafts promise nothing.
    """
    return [
        one
        for one in agreements
        if not one.draft
        and (
            (one.kind is AgreementKind.SLA and not set(one.businesses).isdisjoint(businesses))
            or (one.kind is not AgreementKind.SLA and cause in covers.get(one.name, ()))
        )
    ]


def earliest(found: Iterable[Promise]) -> Promise | None:
    """Return the promise that is due first; None where nothing was promised."""
    due = [(one.due_at, one.agreement, one) for one in found if one.due_at is not None]
    return min(due, key=lambda one: one[:2])[2] if due else None
