"""Time, terminals, log-on, telephony and addresses against ntpd, sshd, freeradius, kamailio and kea."""

import asyncio

import pytest

from btimd.model.probe import ErrorClass, ProbeResult
from btimd.model.service import CheckKind
from btimd.probes.catalogue import dialogue_for
from tests.probes import appservers
from tests.probes.running import probe
from tests.probes.samples import check

pytestmark = [pytest.mark.slow, pytest.mark.real_server]
GOOD = ErrorClass.NONE
WRONG = ErrorClass.WRONG_ANSWER
BROKEN = ErrorClass.PROTOCOL_ERROR
TOKEN = 0x1234_5678_90AB_CDEF


async def asked(kind: CheckKind, port: int, secrets: dict[str, str] | None = None, /, **options: str) -> ProbeResult:
    within = float(options.pop("within", "5"))
    of = check(kind=kind, port=port, options=options, timeout=within)
    return await probe(of, dialogue_for(of, TOKEN, secrets or {}))


def told(found: dict[str, ProbeResult]) -> dict[str, tuple[ErrorClass, str]]:
    """Return error and detail of each, without host and port."""
    return {name: (one.error, one.detail.partition(" ")[2]) for name, one in found.items()}


async def test_sshd_is_understood() -> None:
    with appservers.sshd() as port:
        found = {
            "good": await asked(CheckKind.SSH, port),
            "version": await asked(CheckKind.SSH, port, expect="OpenSSH_"),
            "other": await asked(CheckKind.SSH, port, expect="dropbear"),
            "smtp": await asked(CheckKind.SMTP, port),
        }
    version = found["good"].detail.split("'")[1]
    assert version.startswith("OpenSSH_")
    assert told(found) == {
        "good": (GOOD, f"is '{version}' and offers keys of ssh-ed25519"),
        "version": (GOOD, f"is '{version}' and offers keys of ssh-ed25519"),
        "other": (WRONG, f"is '{version}', expected 'dropbear' in it"),
        "smtp": (BROKEN, f"does not speak SMTP: the line 'SSH-2.0-{version}'"),
    }
    assert {"connect_seconds", "banner_seconds", "key_offer_seconds"} == found["good"].values.keys()


async def test_freeradius_is_understood() -> None:
    radius = CheckKind.RADIUS
    right = {"secret": "shared", "password": "secret"}
    wrong = {"secret": "shared", "password": "hunter2"}
    stranger = {"secret": "guessed", "password": "secret"}
    who = {"user": "probe", "password_file": "/run/p", "secret_file": "/run/s"}
    with appservers.freeradius() as port:
        found = {
            "accept": await asked(radius, port, right, **who),
            "reject": await asked(radius, port, wrong, **who),
            "reject expected": await asked(radius, port, wrong, expect="reject", **who),
            "any": await asked(radius, port, wrong, expect="any", **who),
            "state": await asked(radius, port, {"secret": "shared"}, secret_file="/run/s"),
            "secret": await asked(radius, port, stranger, within="0.3", **who),
        }
    assert told(found) == {
        "accept": (GOOD, "answers Access-Accept: welcome"),
        "reject": (WRONG, "answers Access-Reject: welcome, expected accept"),
        "reject expected": (GOOD, "answers Access-Reject: welcome"),
        "any": (GOOD, "answers Access-Reject: welcome"),
        "state": (GOOD, "answers Access-Accept to a Status-Server"),
        "secret": (
            ErrorClass.TIMEOUT,
            (
                "does not answer a RADIUS request (down, overloaded, or this client or the key it shares is not known there) "
                "within 0.3 s"
            ),
        ),
    }


async def test_kamailio_is_understood() -> None:
    with appservers.kamailio() as port:
        found = {
            f"{transport} {what}": await asked(CheckKind.SIP, port, transport=transport, **options)
            for transport in ("udp", "tcp")
            for what, options in {
                "good": {"uri": "sip:well@pbx.example"},
                "unknown": {},
                "expected": {"expect_status": "2xx,404"},
            }.items()
        } | {"no tls": await asked(CheckKind.SIP, port, within="0.5", transport="tls")}
    says = found["udp good"].detail.partition("; ")[2]
    assert says.startswith("it is 'kamailio (5.")
    ends = {
        "good": (GOOD, f"answers OPTIONS with 200 All is well; {says}"),
        "unknown": (WRONG, f"answers OPTIONS with 404 Not here; {says}, expected 2xx"),
        "expected": (GOOD, f"answers OPTIONS with 404 Not here; {says}"),
    }
    assert found.pop("no tls").error in {ErrorClass.NO_ANSWER, BROKEN, ErrorClass.RESET}
    assert told(found) == {f"{transport} {what}": end for transport in ("udp", "tcp") for what, end in ends.items()}


async def test_kea_is_understood() -> None:
    dhcp = CheckKind.DHCP
    with appservers.kea() as (port, answers_to):
        source = {"source_port": str(answers_to)}
        found = {
            "good": await asked(dhcp, port, **source),
            "relay": await asked(dhcp, port, relay="127.0.0.2", expect_network="127.0.9.0/24", **source),
            "network": await asked(dhcp, port, relay="127.0.0.2", expect_network="10.0.9.0/24", **source),
            "no pool": await asked(dhcp, port, within="0.3", subnet="10.9.9.9", **source),
        }
    assert {name: (one.error, one.values.get("lease_seconds")) for name, one in found.items()} == {
        "good": (GOOD, 600.0),
        "relay": (GOOD, 600.0),
        "network": (WRONG, 600.0),
        "no pool": (ErrorClass.TIMEOUT, None),
    }
    assert "offers 127.0.9.1" in found["good"].detail
    assert found["network"].detail.endswith("(server 127.0.0.1), expected one of 10.0.9.0/24")


@pytest.mark.net
async def test_ntpd_is_understood() -> None:
    with appservers.ntpd() as namespace, appservers.inside(namespace):
        found = []
        for _ in range(20):
            found.append(await asked(CheckKind.NTP, 0, within="0.3"))
            if found[-1].error is GOOD:
                break
            await asyncio.sleep(0.4)
        far = await asked(CheckKind.NTP, 0, max_stratum="2")
    early = [one.detail for one in found if one.error is WRONG]
    assert early[0] == "127.0.0.1:123 sends the kiss code INIT: it has just started and knows no time yet"
    assert (found[-1].error, found[-1].values["stratum"]) == (GOOD, 3)
    assert abs(found[-1].values["offset_seconds"]) < 0.5
    assert found[-1].detail.startswith("127.0.0.1:123 is at stratum 3, ")
    assert (far.error, far.detail) == (WRONG, "127.0.0.1:123 is at stratum 3, allowed are up to 2")
