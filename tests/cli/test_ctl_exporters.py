"""Pictures of exporters: everything an operator has to know fits a terminal of 100 columns."""

from dataclasses import replace
from datetime import UTC

import pytest
from rich.console import Console, RenderableType

from btimd.cli.ctl_exporters import (
    exporter_details,
    exporters_table,
    loss_ratio,
    protocol_of_export,
    refused_table,
    remarks,
)
from tests.fakes.views import EXPORTER, REFUSED

NOW = 1_790_000_004.0
HEALTHY = replace(
    EXPORTER, lost=0, lost_records=0, restarts=0, duplicates=0, unconfirmed_templates=0, clock_skew_milliseconds=200
)


def drawn(picture: RenderableType) -> list[str]:
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(picture)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_the_list_says_what_was_lost_and_what_to_look_at() -> None:
    assert drawn(exporters_table([EXPORTER, HEALTHY], NOW)) == [
        "exporter           protocol  records/s  records          lost     sampling   clock  silent  remarks",
        "core-1 10.255.0.1  IPFIX           492     24 k  240 (0.99 %)  1:1, 1:1000  +1.5 s   2.5 s  doubles,",
        "                                                                                            unsent,",
        "                                                                                            restarts",
        "core-1 10.255.0.1  IPFIX           492     24 k             0  1:1, 1:1000  -0.2 s   2.5 s",
    ]


def test_one_exporter_is_shown_with_all_that_is_known_of_it() -> None:
    assert drawn(exporter_details(EXPORTER, UTC)) == [
        "exporter      core-1 10.255.0.1",
        "protocol      IPFIX, observation domains 0, 7",
        "seen          09-21 13:56:40 to 09-21 14:13:21",
        "received      1 k datagrams (20/s), 24 k records (492/s)",
        "lost records  240 (0.99 %)",
        "sequence      counts the records sent before a message; 12 units missing; 3 datagrams late; 1",
        "              restarts",
        "sampling      1:1, 1:1000",
        "clock         +1.5 s",
        "templates     3, of which 1 not sent again yet",
        "doubles       5.0 % of its records had been reported elsewhere first and count once",
        "unsent        1 templates are remembered and not sent again yet",
        "restarts      it started anew 1 times",
        "ifIndex  name   description      speed",
        "      3  Gi0/3  WAN Shanghai  1 Gbit/s",
    ]


def test_refused_senders_are_listed() -> None:
    assert drawn(refused_table([REFUSED], UTC)) == [
        "address      datagrams  last seen",
        "203.0.113.9         17  09-21 14:13:21",
    ]


def test_an_exporter_with_nothing_wrong_has_no_remarks() -> None:
    assert list(remarks(HEALTHY)) == []


def test_whatever_an_operator_can_mend_is_a_remark() -> None:
    troubled = replace(
        EXPORTER, name="", strict=True, clock_skew_milliseconds=-60_000, sampling_announced=False, duplicates=12_000
    )
    assert [word for word, _ in remarks(troubled)] == [
        "shared", "clock", "rate", "doubles", "unsent", "restarts", "unknown",
    ]  # fmt: skip


def test_loss_that_nobody_knows_is_not_shown_as_none() -> None:
    silent = replace(EXPORTER, lost_records=None)
    assert loss_ratio(silent) is None
    assert "unknown" in drawn(exporters_table([silent], NOW))[1]
    assert loss_ratio(replace(EXPORTER, records=0, lost_records=0)) == 0.0


@pytest.mark.parametrize(("version", "name"), [(5, "NetFlow v5"), (9, "NetFlow v9"), (10, "IPFIX"), (105, "sFlow v5")])
def test_protocols_are_called_by_their_names(version: int, name: str) -> None:
    assert protocol_of_export(version) == name
