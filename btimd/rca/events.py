"""What the diagnosis engine is told, and what it asks for in return."""

from dataclasses import dataclass

from btimd.model.ports import DiagnosisProgress
from btimd.model.probe import ProbeResult, ProbeSpec
from btimd.model.service import ServiceGraph
from btimd.model.sign import Change, Sign
from btimd.model.symptom import Symptom
from btimd.model.units import Ratio, Seconds
from btimd.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class SymptomSeen:
    """An indicator went off."""

    symptom: Symptom


@dataclass(frozen=True, slots=True)
class SymptomGone:
    """An indicator is on again."""

    symptom_id: str


@dataclass(frozen=True, slots=True)
class ProbeDone:
    """The answer to a RunProbe."""

    result: ProbeResult


@dataclass(frozen=True, slots=True)
class Observed:
    """An answer that nobody here asked for: evidence for free."""

    result: ProbeResult


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; the next deadline may have come."""


@dataclass(frozen=True, slots=True)
class GraphSwapped:
    """The operator's picture of what needs what has changed."""

    graph: ServiceGraph


@dataclass(frozen=True, slots=True)
class SignSeen:
    """Something was seen or told that nobody asked for."""

    sign: Sign


@dataclass(frozen=True, slots=True)
class ChangeSeen:
    """Something was changed on a node: it is suspected first for some hours."""

    change: Change


Event = SymptomSeen | SymptomGone | ProbeDone | Observed | Tick | GraphSwapped | SignSeen | ChangeSeen


@dataclass(frozen=True, slots=True)
class RunProbe:
    """Ask the network this."""

    spec: ProbeSpec


@dataclass(frozen=True, slots=True)
class ReportProgress:
    """Tell those who watch how far a diagnosis is."""

    progress: DiagnosisProgress


@dataclass(frozen=True, slots=True)
class ReportVerdict:
    """A diagnosis has ended; its only verdict."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class VerdictExtended:
    """A verdict has grown: it shows in more places, or going on after a weak answer has found the cause.

    The id is the same; symptoms, businesses, and after a weak answer status and cause, may be others.
    """

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class CauseCleared:
    """What a verdict explained is over: no symptom is left, or the cause works again and others must explain them."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class DiagnosisDropped:
    """A diagnosis ended without a verdict of its own: its symptoms went away, or joined the verdict `joined`."""

    diagnosis_id: str
    joined: str = ""


Command = RunProbe | ReportProgress | ReportVerdict | VerdictExtended | CauseCleared | DiagnosisDropped


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Limits of a diagnosis.

    confident: probability of the first suspect that ends the search. walk_ends: probability that is enough where the
    suspect's own dialogue fails, all that it needs is good, and nothing is left to ask. batch: checks at once.
    grace_seconds: how long sibling symptoms may come in before the first batch. recheck_seconds: a cause that has
    been good that long while its symptoms stay is no longer the cause. shortlist_floor: below this the first suspect
    is not even named. max_running: diagnoses at a time; further symptoms wait.
    looks_on_after_seconds: after a weak answer the search goes on so much later, then twice as much, at most
    looks_on_times. verify_seconds: how often it is asked whether a cause is gone whose symptoms are; verify_times: how
    often an own check that cannot be asked, or users who do not return, may hold that up. users_wait_seconds: how long
    a verdict from probes alone waits for what users' traffic says, where that is seen.
    """

    confident: Ratio = 0.92
    walk_ends: Ratio = 0.6
    min_gain_bits: float = 0.03
    max_probes: int = 40
    max_seconds: Seconds = 10.0
    batch: int = 4
    grace_seconds: Seconds = 0.3
    recheck_seconds: Seconds = 30.0
    shortlist_floor: Ratio = 0.25
    max_running: int = 16
    looks_on_after_seconds: Seconds = 5.0
    looks_on_times: int = 6
    verify_seconds: Seconds = 2.0
    verify_times: int = 30
    users_wait_seconds: Seconds = 1.5
