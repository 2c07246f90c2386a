"""Runs single probes on the real transport."""

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import Check, CheckKind
from btimd.probes.catalogue import dialogue_for
from btimd.probes.transport import Transport
from btimd.probes.wire.dialogue import Dialogue
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from tests.probes.samples import check


async def probe(
    of: Check, dialogue: Dialogue | None = None, *, secret: str | None = None, named: str = "password"
) -> ProbeResult:
    secrets = {} if secret is None else {named: secret}
    dialogue = dialogue or dialogue_for(of, 0xBEEF, secrets)
    return await Transport(SystemClock(), Log("probes")).run(ProbeSpec(1, of), dialogue)


def told(result: ProbeResult) -> tuple[Health, ErrorClass, str]:
    return result.health, result.error, result.detail


def web(port: int, timeout: float = 2.0, **options: str) -> Check:
    return check(kind=CheckKind.HTTP, port=port, timeout=timeout, options=options)
