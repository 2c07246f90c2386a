"""Who may call what: tokens, roles, and the role that each call needs.

A token is 256 random bits; files hold its SHA-256 only, which is enough for something that cannot be guessed.
"""

import hashlib
import hmac
import os
import re
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import grpc

from btimd.api.errors import ApiError
from btimd.runtime.metrics import Metrics
from btimd.settings.fields import read_secret

LOCAL_TOKEN_NAME: Final = "local"  # noqa: S105  the name of a token, not a token
TOKEN_FILE_NAME: Final = "token"  # noqa: S105  the name of a file, not a token
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MAX_HEADER_CHARACTERS: Final = 512


class Role(IntEnum):
    """What a caller may do; each role may do all that the lower ones may."""

    VIEWER = 1
    OPERATOR = 2
    MANAGER = 3


NEEDED_ROLE: Final[Mapping[str, Role]] = {
    "/btimd.v1.FlowsService/ListWindows": Role.VIEWER,
    "/btimd.v1.FlowsService/WatchWindows": Role.VIEWER,
    "/btimd.v1.FlowsService/ListUsers": Role.VIEWER,
    "/btimd.v1.FlowsService/CountUsers": Role.VIEWER,
    "/btimd.v1.FlowsService/ListExporters": Role.VIEWER,
    "/btimd.v1.FlowsService/ListSpans": Role.VIEWER,
    "/btimd.v1.FlowsService/ExplainFlow": Role.VIEWER,
    "/btimd.v1.FlowsService/ListQuality": Role.VIEWER,
    "/btimd.v1.FlowsService/WatchQuality": Role.VIEWER,
    "/btimd.v1.FlowsService/QueryHistory": Role.VIEWER,
    "/btimd.v1.GraphService/GetGraph": Role.VIEWER,
    "/btimd.v1.GraphService/ListNodeStates": Role.VIEWER,
    "/btimd.v1.GraphService/WatchNodes": Role.VIEWER,
    "/btimd.v1.GraphService/ListSymptoms": Role.VIEWER,
    "/btimd.v1.GraphService/ListVerdicts": Role.VIEWER,
    "/btimd.v1.GraphService/WatchDiagnoses": Role.VIEWER,
    "/btimd.v1.GraphService/RunProbe": Role.OPERATOR,
    "/btimd.v1.IncidentsService/ListIncidents": Role.VIEWER,
    "/btimd.v1.IncidentsService/GetIncident": Role.VIEWER,
    "/btimd.v1.IncidentsService/WatchIncidents": Role.VIEWER,
    "/btimd.v1.IncidentsService/CreateIncident": Role.OPERATOR,
    "/btimd.v1.IncidentsService/AcceptIncident": Role.OPERATOR,
    "/btimd.v1.IncidentsService/ResolveIncident": Role.OPERATOR,
    "/btimd.v1.IncidentsService/ConfirmIncident": Role.OPERATOR,
    "/btimd.v1.IncidentsService/CommentIncident": Role.OPERATOR,
    "/btimd.v1.IncidentsService/CancelIncident": Role.MANAGER,
    "/btimd.v1.IncidentsService/SetPriority": Role.MANAGER,
    "/btimd.v1.IncidentsService/MergeIncident": Role.MANAGER,
    "/btimd.v1.SlaService/ListSlaStates": Role.VIEWER,
    "/btimd.v1.SlaService/WatchSlaStates": Role.VIEWER,
    # PersonsService
    "/btimd.v1.PersonsService/ListPersons": Role.VIEWER,
    "/btimd.v1.PersonsService/GetPersonSources": Role.VIEWER,
    # end of PersonsService
    # PlanService
    "/btimd.v1.PlanService/ListPrefixUse": Role.VIEWER,
    "/btimd.v1.PlanService/ListUnknownAddresses": Role.VIEWER,
    "/btimd.v1.PlanService/ListUnexpectedTalkers": Role.VIEWER,
    "/btimd.v1.PlanService/WatchUnexpectedTalkers": Role.VIEWER,
    "/btimd.v1.PlanService/ListPlanConflicts": Role.VIEWER,
    "/btimd.v1.PlanService/ListPlanChanges": Role.VIEWER,
    # end of PlanService
    # TopologyService
    "/btimd.v1.TopologyService/ListDevices": Role.VIEWER,
    "/btimd.v1.TopologyService/ListInterfaces": Role.VIEWER,
    "/btimd.v1.TopologyService/ListLinks": Role.VIEWER,
    "/btimd.v1.TopologyService/GetBusinessPath": Role.VIEWER,
    "/btimd.v1.TopologyService/ListDuplication": Role.VIEWER,
    # end of TopologyService
    # BaselinesService
    "/btimd.v1.BaselinesService/ListDeviations": Role.VIEWER,
    "/btimd.v1.BaselinesService/WatchDeviations": Role.VIEWER,
    "/btimd.v1.BaselinesService/ListBaselines": Role.VIEWER,
    "/btimd.v1.BaselinesService/GetBaseline": Role.VIEWER,
    "/btimd.v1.BaselinesService/GetForecast": Role.VIEWER,
    # end of BaselinesService
    # ArchiveService
    "/btimd.v1.ArchiveService/SearchFlows": Role.VIEWER,
    "/btimd.v1.ArchiveService/Rank": Role.VIEWER,
    "/btimd.v1.ArchiveService/GetArchiveStatus": Role.VIEWER,
    # end of ArchiveService
    # DiscoveryService
    "/btimd.v1.DiscoveryService/Suggest": Role.VIEWER,
    "/btimd.v1.DiscoveryService/CompareModel": Role.VIEWER,
    "/btimd.v1.DiscoveryService/ListWeakSpots": Role.VIEWER,
    # end of DiscoveryService
    # ViewsService
    "/btimd.v1.ViewsService/GetServiceView": Role.VIEWER,
    "/btimd.v1.ViewsService/ListServiceViews": Role.VIEWER,
    "/btimd.v1.ViewsService/WatchServiceViews": Role.VIEWER,
    "/btimd.v1.ViewsService/PushBusinessMetrics": Role.OPERATOR,
    # end of ViewsService
    # ImpactService
    "/btimd.v1.ImpactService/SimulateOutage": Role.VIEWER,
    "/btimd.v1.ImpactService/GetRestoringOrder": Role.VIEWER,
    "/btimd.v1.ImpactService/ListGrownNeeds": Role.VIEWER,
    # end of ImpactService
    # BudgetService
    "/btimd.v1.BudgetService/GetBudget": Role.VIEWER,
    # end of BudgetService
    # DiagnosisService
    "/btimd.v1.DiagnosisService/ListDiagnoses": Role.VIEWER,
    "/btimd.v1.DiagnosisService/GetDiagnosis": Role.VIEWER,
    "/btimd.v1.DiagnosisService/ExportDiagnosis": Role.OPERATOR,
    # end of DiagnosisService
    # EventsService
    "/btimd.v1.EventsService/ListEvents": Role.VIEWER,
    "/btimd.v1.EventsService/ListSenders": Role.VIEWER,
    "/btimd.v1.EventsService/RecordChange": Role.OPERATOR,
    # end of EventsService
}
"""Every call there is; one that is missing here is never served."""


@dataclass(frozen=True, slots=True)
class Token:
    """A caller that is known. Only the digest of the secret is kept, and it is not shown."""

    name: str
    role: Role
    sha256: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls; `name` is the actor of what is changed."""

    name: str
    role: Role


ANYBODY: Final = Caller("anybody", Role.VIEWER)
"""Who reads without a token where reads are open."""


def digest_of(secret: bytes) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(secret).digest()


def load_tokens(path: Path) -> tuple[Token, ...]:
    """Return the tokens of a file; raises ValueError naming the file, the entry and what to do.

    The file holds [[token]] tables with name, role (viewer, operator, manager) and sha256 (64 hex digits).
    """
    try:
        parsed = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; put the tokens there or remove tokens_file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML: {error}") from error
    entries = parsed.pop("token", [])
    if parsed or not isinstance(entries, list) or not entries:
        raise ValueError(f"{path}: wanted one or more [[token]] tables with name, role and sha256, and nothing else")
    tokens: dict[str, Token] = {}
    for number, entry in enumerate(entries, 1):
        token = _token(f"{path}: token {number}", entry)
        if token.name in tokens or token.sha256 in {known.sha256 for known in tokens.values()}:
            raise ValueError(f"{path}: token {number}: name {token.name!r} or its sha256 is there twice")
        tokens[token.name] = token
    return tuple(tokens.values())


def _token(where: str, entry: Any) -> Token:
    if not isinstance(entry, dict) or entry.keys() != {"name", "role", "sha256"}:
        raise ValueError(f"{where}: wanted exactly name, role and sha256")
    name, role, sha256 = entry["name"], entry["role"], entry["sha256"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{where}: name {name!r}: 1 to 64 letters, digits and . _ @ - are allowed")
    roles = {known.name.lower(): known for known in Role}
    if role not in roles:
        raise ValueError(f"{where} ({name}): role {role!r} is none of {', '.join(roles)}")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError(f"{where} ({name}): sha256 is not 64 hex digits; make one with: btimctl token {name}")
    return Token(name, roles[role], bytes.fromhex(sha256))


def local_token(state_directory: Path) -> Token:
    """Return the token of role manager that lies in the state directory; it is made there at the first start."""
    path = state_directory / TOKEN_FILE_NAME
    try:
        state_directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if not state_directory.is_dir():
            raise ValueError(f"{state_directory} is no directory; remove it or name another state_directory") from None
        return Token(LOCAL_TOKEN_NAME, Role.MANAGER, digest_of(read_secret(path)))
    except OSError as error:
        raise ValueError(f"cannot make {path}: {error.strerror}; check the state directory and its owner") from error
    secret = secrets.token_urlsafe(32).encode()
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return Token(LOCAL_TOKEN_NAME, Role.MANAGER, digest_of(secret))


class Gate:
    """Decides who may call what, and counts whom it turns away."""

    def __init__(self, tokens: Sequence[Token], metrics: Metrics) -> None:
        self._tokens = tuple(tokens)
        self._refused = metrics.counter(
            "btimd_api_auth_failures_total", "Calls refused for want of a token or of a role", ("reason",)
        )

    def replace(self, tokens: Sequence[Token]) -> None:
        """Know these callers from now on."""
        self._tokens = tuple(tokens)

    def admit(self, authorization: str | None, needed: Role, *, reads_are_open: bool) -> Caller:
        """Return who calls; raises ApiError with UNAUTHENTICATED or PERMISSION_DENIED.

        A token that is given must be right, also where none would be needed.
        """
        if authorization is None:
            if needed is Role.VIEWER and reads_are_open:
                return ANYBODY
            raise self._unauthenticated("missing", "this call needs a token: send 'Authorization: Bearer <token>'")
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer" or not secret.strip() or len(authorization) > _MAX_HEADER_CHARACTERS:
            raise self._unauthenticated("malformed", "the authorization is not of the form 'Bearer <token>'")
        found = self._find(secret.strip())
        if found is None:
            raise self._unauthenticated("unknown", "the token is not known here; it may have been replaced")
        if found.role < needed:
            self._refused.labels("role").inc()
            raise ApiError(
                grpc.StatusCode.PERMISSION_DENIED,
                "ROLE_TOO_LOW",
                f"{found.name} is {found.role.name.lower()}; this call needs {needed.name.lower()}",
                metadata={"role": found.role.name.lower(), "needed": needed.name.lower()},
            )
        return Caller(found.name, found.role)

    def _find(self, secret: str) -> Token | None:
        """Compare with every token, so that the time it takes tells nothing."""
        digest = digest_of(secret.encode("utf-8", "surrogateescape"))
        found: Token | None = None
        for token in self._tokens:
            if hmac.compare_digest(token.sha256, digest):
                found = token
        return found

    def _unauthenticated(self, reason: str, message: str) -> ApiError:
        self._refused.labels(reason).inc()
        return ApiError(grpc.StatusCode.UNAUTHENTICATED, f"TOKEN_{reason.upper()}", message)
