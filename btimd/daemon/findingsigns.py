"""What packets of trouble said -> signs about the servers that said it."""

from typing import Final

from btimd.daemon.whose import Whose
from btimd.flows.trafficsigns import wilson_low
from btimd.model.evidence import Finding, Observation
from btimd.model.probe import ErrorClass, Health
from btimd.model.service import Closure, NodeKind
from btimd.model.sign import Sign, SignSource

_ERRORS: Final = {
    "http": ErrorClass.WRONG_ANSWER, "dns": ErrorClass.WRONG_ANSWER, "tls": ErrorClass.CERTIFICATE,
    "mysql": ErrorClass.WRONG_ANSWER, "postgresql": ErrorClass.WRONG_ANSWER, "mssql": ErrorClass.WRONG_ANSWER,
    "oracle": ErrorClass.WRONG_ANSWER, "ldap": ErrorClass.WRONG_ANSWER, "smtp": ErrorClass.WRONG_ANSWER,
    "ftp": ErrorClass.WRONG_ANSWER, "tcp-refused": ErrorClass.REFUSED, "tcp-unanswered": ErrorClass.TIMEOUT,
    "tcp-reset": ErrorClass.RESET, "tcp-zero-window": ErrorClass.SLOW,
}  # fmt: skip
_KINDS: Final = {
    "http": (NodeKind.APPLICATION, NodeKind.MIDDLEWARE),
    "tls": (NodeKind.APPLICATION, NodeKind.MIDDLEWARE),
    "dns": (NodeKind.SHARED,),
    "ldap": (NodeKind.SHARED,),
    **dict.fromkeys(("mysql", "postgresql", "mssql", "oracle"), (NodeKind.DATABASE,)),
}
_USUAL: Final = frozenset({"NXDOMAIN", "404", "401", "304", "NXDOMAIN (3)"})
"""Answers that healthy servers give."""
_LEAST_SHARE: Final = 0.1
_FEWEST_UNCOUNTED: Final = 3
_WEIGHT: Final = 0.7
_LASTS_SECONDS: Final = 120.0
_MILLIS: Final = 1000.0


def finding_signs(finding: Finding, whose: Whose) -> list[Sign]:
    """Return the signs of a finding, one per server and kind; what is too seldom, or usual, is none."""
    signs = []
    for seen in finding.observations:
        error = _ERRORS.get(seen.kind)
        host, _, _ = seen.server.rpartition(":")
        node = whose.node_of((host.strip("[]"),), _KINDS.get(seen.kind, ()))
        if error is None or not node or not _is_telling(seen):
            continue
        signs.append(
            Sign(
                id=f"packets:{node}:{seen.kind}:{seen.value}",
                node=node,
                health=Health.BAD,
                error=error,
                text=seen.sentence,
                source=SignSource.PACKETS,
                at=seen.first_seen / _MILLIS,
                scope=Closure.FULL,
                weight=_WEIGHT,
                lasts_seconds=_LASTS_SECONDS,
            )
        )
    return signs


def _is_telling(seen: Observation) -> bool:
    if seen.value.split(" ")[0] in _USUAL:
        return False
    return wilson_low(seen.count, seen.of) >= _LEAST_SHARE if seen.of else seen.count >= _FEWEST_UNCOUNTED
