"""A suppressor for the tests of incidents."""

from dataclasses import dataclass, field

from btimd.itsm.triggers import ReportProblem


@dataclass
class Quiet:
    """A suppressor of some fingerprints. kept, gone: what it was told."""

    fingerprints: set[str]
    kept: list[tuple[str, str]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def reason(self, report: ReportProblem, _now: float) -> str:
        return "maintenance" if report.fingerprint in self.fingerprints else ""

    async def keep(self, report: ReportProblem, reason: str, _now: float) -> None:
        self.kept.append((report.fingerprint, reason))

    async def cleared(self, fingerprint: str, _symptoms: frozenset[str], _now: float) -> bool:
        self.gone.append(fingerprint)
        return fingerprint in {one for one, _ in self.kept}
