"""ProbeSpec and ProbeResult: one question to the network and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check
from btimd.model.units import Seconds, UnixSeconds


class Health(StrEnum):
    """What a probe says. UNKNOWN (it could not be asked) is no evidence, neither for nor against."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


class ErrorClass(StrEnum):
    """Why a probe is not good; NONE where it is."""

    NONE = "none"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    RESET = "reset"
    NO_ANSWER = "no-answer"
    SLOW = "slow"
    WRONG_ANSWER = "wrong-answer"
    NAME_ERROR = "name-error"
    PROTOCOL_ERROR = "protocol-error"
    NOT_PERMITTED = "not-permitted"
    OVER_BUDGET = "over-budget"
    LOCAL_FAILURE = "local-failure"
    EXCEEDED = "exceeded"
    """Something measured is beyond its limit: a full disk, a queue too long, packets lost."""
    CERTIFICATE = "certificate"
    """A certificate that clients do not accept: expired, of another name, of an unknown issuer."""
    UNUSUAL = "unusual"
    """No answer to a probe: a business that is not used as it usually is."""

    @property
    def phrase(self) -> str:
        """What a component does that has this trouble, to stand behind its name."""
        return _PHRASES.get(self, "has failed")


_PHRASES: Final = {
    ErrorClass.REFUSED: "refuses connections",
    ErrorClass.TIMEOUT: "does not answer in time",
    ErrorClass.UNREACHABLE: "cannot be reached",
    ErrorClass.RESET: "drops connections",
    ErrorClass.NO_ANSWER: "accepts connections but never answers",
    ErrorClass.SLOW: "answers too slowly",
    ErrorClass.WRONG_ANSWER: "answers wrongly",
    ErrorClass.NAME_ERROR: "does not resolve",
    ErrorClass.PROTOCOL_ERROR: "breaks its protocol",
    ErrorClass.EXCEEDED: "is beyond its limits",
    ErrorClass.CERTIFICATE: "has a certificate that is not accepted",
    ErrorClass.UNUSUAL: "is not used as usual",
}


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """A check to run once. id is unique in the process; `why` says in words why it was chosen."""

    id: int
    check: Check
    why: str = ""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The one answer to a ProbeSpec.

    started_at: wall clock. elapsed_seconds: of the whole dialogue. detail: one sentence of evidence for people.
    values: what was measured, OpenMetrics base units in the names (connect_seconds, status, ...).
    """

    spec: ProbeSpec
    health: Health
    error: ErrorClass
    detail: str
    started_at: UnixSeconds
    elapsed_seconds: Seconds
    values: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
