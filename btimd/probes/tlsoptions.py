"""What operators write of TLS in the options of a check, and what it means to a dialogue."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from btimd.probes.kinds import Secrets
from btimd.probes.wire.certificates import DAY_SECONDS, ExpiryRule
from btimd.probes.wire.tls import TlsMode, TlsOptions

EXPIRY_OPTIONS: Final[Mapping[str, str]] = MappingProxyType({
    "critical_days": "bad where the certificate ends in fewer days; default: only an expired one that is verified",
    "warn_days": "said in the detail where the certificate ends in fewer days; default 30",
})  # fmt: skip
"""The options of everything that may speak TLS."""

VERIFY_OPTIONS: Final[Mapping[str, str]] = MappingProxyType({
    "verify": '`"true"` (default) or `"false"` (any certificate)',
    "server_name": "the name that the certificate must be for; default: `host`",
    "ca_file": "PEM file of the only authorities to trust; default: the system's",
    **EXPIRY_OPTIONS,
})  # fmt: skip

TLS_OPTIONS: Final[Mapping[str, str]] = MappingProxyType({
    "tls": '`"true"` (from the start), `"starttls"` (after a command) or `"false"` (default)',
    **VERIFY_OPTIONS,
})  # fmt: skip

_TRUTH: Final = {"true": True, "yes": True, "false": False, "no": False}
_TOO_MUCH: Final = 1e9
_WARN_DAYS: Final = "30"


def number_of(options: Mapping[str, str], name: str, default: str = "") -> float | None:
    """Return an option that is a number of at least 0, None where there is none; raises ValueError."""
    text = options.get(name, default)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < _TOO_MUCH:
        raise ValueError(f"{name} {text!r} is no number of at least 0")
    return value


def truth_of(options: Mapping[str, str], name: str, *, default: bool) -> bool:
    """Return an option that is "true" or "false"; raises ValueError."""
    text = options.get(name, "true" if default else "false").lower()
    if text not in _TRUTH:
        raise ValueError(f'{name} {text!r} is unknown; write "true" or "false"')
    return _TRUTH[text]


def expiry_of(options: Mapping[str, str], critical_days: str = "") -> ExpiryRule:
    """Return when the end of a certificate is near; raises ValueError."""
    critical = number_of(options, "critical_days", critical_days)
    warn = number_of(options, "warn_days", _WARN_DAYS)
    return ExpiryRule(None if critical is None else critical * DAY_SECONDS, (warn or 0.0) * DAY_SECONDS)


def tls_of(options: Mapping[str, str], secrets: Secrets, *, mode: TlsMode | None = None) -> TlsOptions:
    """Return how a check wants TLS; mode: where the kind leaves no choice. Raises ValueError."""
    text = options.get("tls", "false").lower()
    if text not in list(TlsMode):
        raise ValueError(f'tls {text!r} is unknown; write "true", "starttls" or "false"')
    return TlsOptions(
        mode=TlsMode(text) if mode is None else mode,
        verify=truth_of(options, "verify", default=True),
        server_name=options.get("server_name", ""),
        ca=secrets.get("ca", ""),
        expiry=expiry_of(options),
    )
