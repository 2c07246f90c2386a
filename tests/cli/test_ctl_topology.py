import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from btimd.cli.btimctl import main
from btimd.cli.ctl_topology import (
    devices_table,
    duplication_table,
    interfaces_table,
    links_table,
    path_table,
    split_end,
)
from btimd.model.topology import DeviceState, FactSource
from tests.api.topologyserving import serving_topology
from tests.fakes.topology import DEVICE, DUPLICATION, HOP, INTERFACE, LINK, LOAD_IN, LOAD_OUT, FakeTopology


def lines(picture: RenderableType) -> list[list[str]]:
    """Return the cells of each row, without the heading."""
    console = Console(width=250, color_system=None)
    with console.capture() as captured:
        console.print(picture)
    return [re.split(r"  +", line.strip()) for line in captured.get().splitlines()[1:]]


def test_a_line_reads_like_a_sentence() -> None:
    assert lines(links_table([LINK])) == [
        ["core Gi0/1 > edge1 Gi0/48", "1 Gbit/s", "92% out", "920 Mbit/s", "backup 71 %, erp 20 %", "by cdp, lldp"]
    ]


def test_what_makes_a_line_doubtful_is_said_beside_it() -> None:
    unmeasured = replace(LOAD_OUT, measured_bits_per_second=None, flow_coverage=None, sampled=True, utilisation=None)
    rows = lines(
        links_table(
            [
                replace(LINK, oper_up=False, ambiguous=True, loads=()),
                replace(LINK, far_device="", far_interface_name="", speed=0, sources=(FactSource.FLOW,),
                        loads=(unmeasured,)),
                replace(LINK, loads=(LOAD_IN, replace(LOAD_OUT, flow_coverage=0.3))),
                replace(LINK, loads=(replace(LOAD_OUT, flow_coverage=2.0),)),
            ]
        )
    )  # fmt: skip
    assert [row[-1] for row in rows] == [
        "down; ambiguous: several devices are seen behind it; nothing is measured here; by cdp, lldp",
        "load from flow records only; sampled",
        "flow records tell 30% of it; by cdp, lldp",
        "flow records tell 200% of it: counted twice, or a wrong sampling rate; by cdp, lldp",
    ]
    assert rows[1][:4] == ["core Gi0/1 > ?", "?", "?", "~870 Mbit/s"]
    assert rows[0][2:5] == ["?", "-", "-"]


def test_the_business_that_is_asked_for_is_shown_however_small_its_share() -> None:
    shares = tuple(replace(LOAD_OUT.shares[0], business=f"b{number}", share=0.1) for number in range(6))
    link = replace(LINK, loads=(replace(LOAD_OUT, shares=shares),))
    assert lines(links_table([link], business="b5"))[0][4] == "b0 10 %, b1 10 %, b2 10 %, b5 10 %"


def test_devices_say_how_they_are() -> None:
    now = LINK.last_seen_milliseconds / 1000 + 5
    rows = lines(
        devices_table(
            [
                DEVICE,
                replace(DEVICE, state=DeviceState.SILENT, error="no answer", exporters=()),
                replace(DEVICE, state=DeviceState.UNKNOWN, told_milliseconds=None, uptime_seconds=None, model=""),
                replace(DEVICE, state=DeviceState.RESTARTED, partial=("fdb: too long",), exporters=()),
            ],
            now,
        )
    )
    assert rows == [
        ["core", "● up", "X9300", "1 d 1 h", "48", "5 s", "exports from 10.0.0.1"],
        ["core", "✖ silent", "X9300", "1 d 1 h", "48", "5 s", "no answer"],
        ["core", "? unknown", "-", "-", "48", "-",
         "SNMP does not ask it: known from flow records only; exports from 10.0.0.1"],
        ["core", "▲ restarted", "X9300", "1 d 1 h", "48", "5 s", "not told whole: fdb: too long"],
    ]  # fmt: skip


def test_interfaces_say_what_they_carry_and_what_hangs_on_them() -> None:
    rows = lines(
        interfaces_table(
            [
                INTERFACE,
                replace(INTERFACE, oper_up=False, loads=(), neighbours=("a", "b"), speed=0, alias=""),
                replace(INTERFACE, oper_up=None, index=0, name="", loads=(), neighbours=(), alias="x"),
                replace(INTERFACE, admin_up=False, loads=(), alias="x"),
            ]
        )
    )
    assert rows == [
        ["core", "1", "Gi0/1", "● up", "1 Gbit/s", "50 Mbit/s 5%", "920 Mbit/s 92%", "edge1 Gi0/48", "to edge1"],
        ["core", "1", "Gi0/1", "✖ down", "-", "-", "-", "a or b"],
        ["core", "0", "(none)", "? unknown", "1 Gbit/s", "-", "-", "-", "x"],
        ["core", "1", "Gi0/1", "off", "1 Gbit/s", "-", "-", "edge1 Gi0/48", "x"],
    ]


def test_a_path_says_how_each_hop_stands() -> None:
    unknown = replace(HOP, utilisation=None, far_device="", far_interface_name="", state="unknown", derived=False,
                      lines_to_servers=None, remarks=("speed or load not known",))  # fmt: skip
    assert lines(path_table([HOP, unknown])) == [
        ["2", "✖ bad", "core", "Gi0/1", "out", "~187 Mbit/s", "20 %", "92%", "edge1 Gi0/48", "92% full"],
        ["?", "? unknown", "core", "Gi0/1", "out", "187 Mbit/s", "20 %", "?", "?", "speed or load not known"],
    ]


def test_duplication_says_how_often_traffic_is_told() -> None:
    rows = lines(
        duplication_table([DUPLICATION, replace(DUPLICATION, exporter="a", business="", duplication_factor=None)])
    )
    assert [row[1:] for row in rows] == [
        ["(all)", "erp", "1.99", "100", "90", "1 MB", "990 kB"],
        ["a", "(none)", "all others'", "100", "90", "1 MB", "990 kB"],
    ]


def test_duplication_says_what_is_estimated_from_a_sample_and_what_nobody_knows() -> None:
    sampled = replace(DUPLICATION, compared=1 / 64, relative_error=0.125)
    nothing = replace(DUPLICATION, compared=1 / 64, relative_error=None, duplicate_records=0, duplicate_octets=0)
    off = replace(nothing, compared=0.0, duplication_factor=None)
    assert [row[3:] for row in lines(duplication_table([sampled, nothing, off]))] == [
        ["~1.99", "~100", "~90", "~1 MB", "~990 kB", "estimate: 1.6% of flows looked at, error of twice at least 12%"],
        ["~1.99", "~100", "~0", "~1 MB", "~0 B", "estimate: 1.6% of flows looked at, none found"],
        ["?", "~100", "~0", "~1 MB", "~0 B", "not known: duplicates are not looked for, or not all the time alike"],
    ]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (None, (None, None)),
        ("core", ("core", None)),
        ("core:Gi0/0:1", ("core", "Gi0/0:1")),
        ("[2001:db8::1]:7", ("2001:db8::1", "7")),
        ("[2001:db8::1]", ("2001:db8::1", None)),
    ],
)
def test_an_end_of_a_line_is_device_and_interface(text: str | None, end: tuple[str | None, str | None]) -> None:
    assert split_end(text) == end


@pytest.fixture
async def view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeTopology]:
    """Serve a fake to btimctl."""
    fake = FakeTopology()
    async with serving_topology(tmp_path, fake) as server:
        monkeypatch.setenv("BTIMD_SERVER", server)
        monkeypatch.setenv("COLUMNS", "150")
        yield fake


@pytest.mark.parametrize(
    ("command", "first"),
    [
        ("devices", "core"),
        ("interfaces core --limit 3", "core"),
        ("links core:Gi0/1 --business erp", "core Gi0/1 > edge1 Gi0/48"),
        ("path erp", "✖ bad"),
        ("duplication --business erp --exporter *", "(all)"),
    ],
)
async def test_every_command_prints_a_table_or_lines_of_json(
    view: FakeTopology, capsys: pytest.CaptureFixture[str], command: str, first: str
) -> None:
    assert await asyncio.to_thread(main, command.split()) == 0
    assert first in capsys.readouterr().out
    assert await asyncio.to_thread(main, ["--json", *command.split()]) == 0
    assert isinstance(json.loads(capsys.readouterr().out.splitlines()[0]), dict)
    assert all(asked in {("core", "Gi0/1", "erp"), ("erp", "*")} for asked in view.asked)


async def test_a_business_without_traffic_is_said_to_have_none(
    view: FakeTopology, capsys: pytest.CaptureFixture[str]
) -> None:
    assert view.asked == []
    assert await asyncio.to_thread(main, ["path", "mail"]) == 0
    assert "no traffic of mail was seen on any interface lately" in capsys.readouterr().out
