"""btimd plan import: files, and a NetBox that really answers."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from btimd.cli import plan_import
from btimd.cli.btimd import main
from btimd.runtime.clock import ManualClock
from tests.flows.test_netbox import DATA, serving
from tests.flows.test_planimport import ADDRESSES, SUBNETS

READ = datetime.fromtimestamp(ManualClock().wall(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_import, "SystemClock", ManualClock)


def test_exports_of_phpipam_become_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "subnets.csv").write_text(SUBNETS)
    (tmp_path / "addresses.csv").write_text(ADDRESSES)
    (tmp_path / "api.json").write_text('{"data": [{"subnet": "10.7.0.0", "mask": "16", "description": "Bonn"}]}')
    files = [str(tmp_path / name) for name in ("subnets.csv", "addresses.csv", "api.json")]

    assert main(["plan", "import", "phpipam", *files, "--region", "elsewhere"]) == 0
    told = capsys.readouterr()
    assert told.out == (
        "# IP plan from phpIPAM subnets.csv, addresses.csv, api.json\n"
        f"# read {READ}: 5 lines, 2 left out or in conflict\n"
        "prefix,region,segment,person\n"
        "10.1.0.0/16,Berlin,,\n"
        "10.1.1.0/24,Berlin,Sales floor,\n"
        "10.1.1.7/32,,,Li Wei\n"
        "10.2.0.0/16,Hamburg,Yard,\n"
        "10.7.0.0/16,elsewhere,Bonn,\n"
    )
    assert told.err.splitlines() == [
        "note: line 6: 'bad' is no subnet; left out",
        "note: line 4: '10.1.1.x' is no address; left out",
    ]


def test_any_csv_is_merged_with_the_plan_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nets.csv").write_text("net;place\n10.1.0.0/16;north\n10.2.0.0/16;\n")
    (tmp_path / "ipplan.csv").write_text("prefix,region,segment\n10.1.0.0/16,Nord,yard\n10.9.0.0/16,own,\n")
    line = ["plan", "import", "csv", str(tmp_path / "nets.csv"), "--prefix-column", "net", "--region-column", "place"]

    assert main([*line, "--merge", str(tmp_path / "ipplan.csv")]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[2:] == [
        "# merged with ipplan.csv: 1 lines kept that the source lacks",
        "prefix,region,segment,person",
        "10.1.0.0/16,north,yard,",
        "10.9.0.0/16,own,,",
    ]
    assert told.err.splitlines() == [
        "note: line 3: 10.2.0.0/16 names no region, segment or person; left out",
        "note: 10.1.0.0/16: line 2 of the existing plan says Nord / yard / -, line 2 says north / - / -; kept the source",
    ]


def test_what_cannot_be_imported_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nets.csv").write_text("net\n10.1.0.0/16\n")
    line = ["plan", "import", "csv", str(tmp_path / "nets.csv"), "--prefix-column"]

    assert main([*line, "prefix"]) == 2
    assert capsys.readouterr().err == "nets.csv: has no column 'prefix'; found: net\n"
    assert main([*line, "net"]) == 1
    assert "note: the source holds no line; see --region-from, --status and --vrf" in capsys.readouterr().err
    assert main(["plan", "import", "netbox", "--url", "https://x", "--region-from", "plant"]) == 2
    assert "'plant' is nothing that NetBox has" in capsys.readouterr().err
    assert main(["plan", "import", "netbox", "--url", "https://x", "--token-file", str(tmp_path / "none")]) == 2
    assert "put the secret there" in capsys.readouterr().err


async def test_a_netbox_becomes_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = tmp_path / "token"
    token.write_text("nbt_abc.def\n")
    token.chmod(0o600)
    asked: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request.path_qs)
        if request.headers.get("Authorization") != "Bearer nbt_abc.def":
            return web.json_response({"detail": "Invalid token"}, status=403)
        name = "addresses" if "ip-addresses" in request.path else f"prefixes-{2 if 'offset' in request.query else 1}"
        return web.Response(text=(DATA / f"{name}.json").read_text(), content_type="application/json")

    async with serving(handler) as url:
        line = ["plan", "import", "netbox", "--url", url, "--region-from", "scope", "--vrf", "global"]
        refused = await asyncio.to_thread(main, line)
        assert (refused, "answered 403 ('Invalid token')" in capsys.readouterr().err) == (2, True)
        status = await asyncio.to_thread(main, [*line, "--token-file", str(token), "--person-from", "assigned"])
    told = capsys.readouterr()

    assert status == 0
    assert told.out.replace(url, "URL") == (
        "# IP plan from NetBox URL: region from scope, segment from role, person from assigned\n"
        f"# read {READ}: 6 lines, 1 left out or in conflict\n"
        "prefix,region,segment,person\n"
        "10.1.0.0/16,North,Clients,\n"
        "10.1.1.0/24,North,Sales,\n"
        "10.1.1.8/32,,,pc-17\n"
        "10.2.0.0/16,South,Clients,\n"
        "10.2.0.9/32,,,vm-3\n"
        "2001:db8:1::/48,Europe,,\n"
    )
    assert told.err == "note: NetBox prefix 1: 10.0.0.0/8 names no region, segment or person; left out\n"
    assert asked[1:] == [
        "/api/ipam/prefixes/?limit=500&status=active&status=reserved&status=container",
        "/api/ipam/prefixes/?limit=3&offset=3",
        "/api/ipam/ip-addresses/?limit=500&status=active&status=reserved&status=dhcp&status=slaac",
    ]
