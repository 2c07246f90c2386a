"""HTTP/2 against nginx."""

import datetime as dt

import pytest

from btimd.model.probe import ErrorClass, ProbeResult
from btimd.model.service import CheckKind
from btimd.probes.catalogue import dialogue_for
from tests.probes import appservers
from tests.probes.authorities import issue
from tests.probes.running import probe
from tests.probes.samples import check

pytestmark = [pytest.mark.slow, pytest.mark.real_server]
NAME = "erp.example"


async def asked(port: int, ca: str, **options: str) -> ProbeResult:
    of = check(kind=CheckKind.HTTP, port=port, options={"version": "2", "host_header": NAME, **options}, timeout=60.0)
    return await probe(of, dialogue_for(of, 1, {"ca": ca}))


async def test_nginx_is_understood() -> None:
    now = dt.datetime.now(dt.UTC)
    root = issue("Corp CA", is_authority=True, now=now)
    ca = root.pem
    with appservers.nginx_h2(issue(NAME, (NAME,), by=root, now=now)) as (plain, tls, old):
        found = {
            "tls": await asked(tls, ca, tls="true", path="/health", expect_text="is well"),
            "plain": await asked(plain, ca, path="/health", expect_text="is well"),
            "big": await asked(tls, ca, tls="true", path="/big.txt"),
            "huge": await asked(plain, ca, path="/huge.txt"),
            "500": await asked(plain, ca, path="/broken"),
            "404": await asked(tls, ca, tls="true", path="/missing"),
            "text": await asked(tls, ca, tls="true", path="/health", expect_text="is ill"),
            "old": await asked(old, ca, tls="true"),
            "1.1": await asked(old, ca, tls="true", version="1.1", path="/health"),
            "soon": await asked(tls, ca, tls="true", path="/health", critical_days="100"),
            "unknown": await asked(tls, "", tls="true", path="/health"),
            "tls on a plain port": await asked(plain, ca, tls="true"),
        }
    assert {
        name: (one.error, one.values.get("status"), one.values.get("body_octets")) for name, one in found.items()
    } == {
        "tls": (ErrorClass.NONE, 200, 12),
        "plain": (ErrorClass.NONE, 200, 12),
        "big": (ErrorClass.NONE, 200, 720_000),
        "huge": (ErrorClass.NONE, 200, found["huge"].values["body_octets"]),
        "500": (ErrorClass.WRONG_ANSWER, 500, found["500"].values["body_octets"]),
        "404": (ErrorClass.WRONG_ANSWER, 404, found["404"].values["body_octets"]),
        "text": (ErrorClass.WRONG_ANSWER, 200, 12),
        "old": (ErrorClass.PROTOCOL_ERROR, None, None),
        "1.1": (ErrorClass.NONE, 200, 12),
        "soon": (ErrorClass.CERTIFICATE, 200, 12),
        "unknown": (ErrorClass.CERTIFICATE, None, None),
        "tls on a plain port": (ErrorClass.PROTOCOL_ERROR, None, None),
    }
    assert 1024 * 1024 < found["huge"].values["body_octets"] <= 1024 * 1024 + 16 * 1024
    assert found["old"].detail.endswith("; no HTTP/2 is spoken there")
    assert found["soon"].detail.endswith("critical below 100 days")
    assert "issued by Corp CA, which is not trusted here" in found["unknown"].detail
    assert 89 * 86_400 < found["tls"].values["certificate_expires_seconds"] <= 90 * 86_400
