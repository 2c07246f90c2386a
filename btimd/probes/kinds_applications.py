"""The kinds of checks for applications: mail, files, directories, time, log-on, telephony."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes.kinds import KindSpec, Secrets
from btimd.probes.tlsoptions import VERIFY_OPTIONS, expiry_of, tls_of
from btimd.probes.wire.dialogue import Dialogue
from btimd.probes.wire.tls import TLS_PORT, TlsDialogue, TlsMode

_CRITICAL_DAYS: Final = "7"


def _tls(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token
    tls = replace(tls_of(check.options, secrets, mode=TlsMode.FIRST), expiry=expiry_of(check.options, _CRITICAL_DAYS))
    return TlsDialogue(check.host, check.port, tls, least_version=check.options.get("min_version", "TLSv1.2"))


KINDS: Final[Mapping[CheckKind, KindSpec]] = MappingProxyType({
    CheckKind.TLS: KindSpec(
        2.0,
        Closure.LOCAL,
        _tls,
        default_port=TLS_PORT,
        options={
            **VERIFY_OPTIONS,
            "critical_days": f"bad where the certificate ends in fewer days; default {_CRITICAL_DAYS}",
            "min_version": 'the oldest version that is good; default `"TLSv1.2"`',
        },
        outcomes={
            "protocol-error": "the certificate is not right (expired, not yet valid, self-signed, unknown issuer, "
            "wrong name, too near its end), or no TLS is spoken there",
            "wrong-answer": "a version of TLS that is too old",
            "no-answer": "the process accepts and does not shake hands: it hangs, or another protocol waits for words",
        },
    ),
})  # fmt: skip
