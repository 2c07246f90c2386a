"""Merging: which reports are one incident, and what many reports say together. One cause, one incident."""

from typing import Final

from btimd.model.incident import ImpactAssessment
from btimd.model.probe import ErrorClass
from btimd.model.verdict import Verdict, VerdictStatus

TITLE_LIMIT: Final = 200
_UNKNOWN: Final = "?"
_FAMILY: Final = {
    ErrorClass.REFUSED: "down",
    ErrorClass.TIMEOUT: "down",
    ErrorClass.UNREACHABLE: "down",
    ErrorClass.RESET: "down",
    ErrorClass.NO_ANSWER: "down",
    ErrorClass.SLOW: "slow",
    ErrorClass.WRONG_ANSWER: "wrong",
    ErrorClass.NAME_ERROR: "wrong",
    ErrorClass.PROTOCOL_ERROR: "wrong",
    ErrorClass.NONE: "unclear",
    ErrorClass.NOT_PERMITTED: "unclear",
    ErrorClass.OVER_BUDGET: "unclear",
    ErrorClass.LOCAL_FAILURE: "unclear",
    ErrorClass.EXCEEDED: "exceeded",
    ErrorClass.CERTIFICATE: "wrong",
    ErrorClass.UNUSUAL: "unusual",
}


def error_family(error: ErrorClass) -> str:
    """Return the kind of trouble: a dying server refuses, resets and times out in turn, and it is all "down"."""
    return _FAMILY[error]


def fingerprint(verdict: Verdict) -> str:
    """Return what makes two verdicts the same incident: cause and error family, "erp-db/down".

    Symptoms are left out, so that every business that the cause hits joins one incident. Without a cause the symptom
    nodes are all there is: "?/erp,hr".
    """
    if verdict.cause is None:
        return f"{_UNKNOWN}/{','.join(sorted(set(verdict.symptom_nodes)))}"
    return f"{verdict.cause}/{error_family(verdict.cause_error)}"


def manual_fingerprint(command_id: str) -> str:
    """Return the fingerprint of a person's report: an incident of its own."""
    return f"manual/{command_id}"


def explains(verdict: Verdict, other: str) -> bool:
    """Tell whether a verdict names the cause that the incident with fingerprint `other` was still looking for."""
    if verdict.status is not VerdictStatus.CAUSE_FOUND or not other.startswith(f"{_UNKNOWN}/"):
        return False
    return set(other.removeprefix(f"{_UNKNOWN}/").split(",")) <= set(verdict.symptom_nodes)


def title(verdict: Verdict) -> str:
    """Return the one line that an incident is listed under. It names the cause, so it stays when symptoms join."""
    if verdict.cause is None:
        text = f"{', '.join(sorted(set(verdict.symptom_nodes)))}: cause unknown"
    elif verdict.status is VerdictStatus.CAUSE_FOUND:
        text = f"{verdict.cause} {verdict.cause_error.phrase}"
    else:
        text = f"{verdict.cause} suspected: {verdict.cause_error.phrase}"
    return text[:TITLE_LIMIT]


def covers(new: ImpactAssessment, old: ImpactAssessment) -> bool:
    """Tell whether a new assessment speaks of everything that the old one did."""
    return set(new.businesses) >= set(old.businesses) and set(new.regions) >= set(old.regions)


def grown(old: ImpactAssessment, new: ImpactAssessment) -> ImpactAssessment:
    """Return what is hit according to both.

    Businesses and regions are united, in the order they were first seen. Where the new assessment covers the old one
    its users are the number. Else users may be counted in both, so that the larger number is a lower bound.
    """
    if covers(new, old):
        users, exact = (new.users, new.users_exact) if new.users is not None else (old.users, old.users_exact)
    else:
        known = [users for users in (old.users, new.users) if users is not None]
        users, exact = (max(known) if known else None), False
    return ImpactAssessment(
        businesses=tuple(dict.fromkeys((*old.businesses, *new.businesses))),
        regions=tuple(dict.fromkeys((*old.regions, *new.regions))),
        users=users,
        users_exact=exact,
    )
