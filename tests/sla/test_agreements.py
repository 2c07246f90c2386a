"""[sla.agreement.NAME]: what is written becomes agreements; what is wrong is told with its line."""

from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest
from pydantic import Field

from btimd.model.agreement import Agreement, AgreementKind, Maintenance, PeriodKind
from btimd.model.incident import Priority
from btimd.model.service import BusinessService, Node, NodeKind, ServiceGraph
from btimd.settings.calendars import CalendarTables, build_calendars
from btimd.settings.fields import Section
from btimd.settings.load import read_toml, validate
from btimd.settings.report import SettingsError
from btimd.sla.agreements import agreement_notes, agreement_problems, build_agreements, review_notes
from btimd.sla.settings import SlaSettings
from tests.sla.agreeing import agreement, covering, moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
WHOLE = """
[calendar.office]
class = "5x9"
timezone = "Asia/Shanghai"

[sla.agreement.bank]
kind = "sla"
title = "Online banking"
title_zh = "网上银行"
provider = "IT"
customer = "Retail"
businesses = ["erp", "erp"]
calendar = "office"
availability_percent = 99.9
response = { P1 = "10m", P2 = "20m" }
resolve = { P1 = "2h" }
period = "quarter"
exclude_planned = true
valid_from = 2026-01-01
review_on = 2026-12-01

[[sla.agreement.bank.maintenance]]
days = ["sun"]
hours = ["22:00-02:00"]

[[sla.agreement.bank.maintenance]]
from = 2026-11-16T09:00:00
to = 2026-11-16T08:00:00Z
reason = "new storage"
reference = "CHG-1"

[sla.agreement.isp]
kind = "uc"
provider = "Telecom"
nodes = ["line"]
availability_percent = 99.5
draft = true
"""


class Root(Section):
    calendar: CalendarTables = Field(default_factory=dict)
    sla: SlaSettings = Field(default_factory=SlaSettings)


def graph() -> ServiceGraph:
    nodes = {
        "erp": Node("erp", NodeKind.BUSINESS, "ERP", ("line",)),
        "line": Node("line", NodeKind.NETWORK, "line", ()),
    }
    return ServiceGraph(MappingProxyType(nodes), MappingProxyType({"erp": BusinessService("erp", "ERP")}), 1)


def load(tmp_path: Path, text: str) -> tuple[Agreement, ...]:
    (tmp_path / "btimd.toml").write_text(text, "utf-8")
    root = validate(read_toml(tmp_path / "btimd.toml"), Root)
    return build_agreements(root.sla.agreement, build_calendars(root.calendar))


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    return [str(problem) for problem in caught.value.problems]


def test_an_agreement_is_what_was_written(tmp_path: Path) -> None:
    bank, isp = load(tmp_path, WHOLE.replace("to = 2026-11-16T08:00:00Z", "to = 2026-11-16T16:00:00"))

    assert (bank.name, bank.kind, bank.title, bank.title_zh) == (
        "bank",
        AgreementKind.SLA,
        "Online banking",
        "网上银行",
    )
    assert (bank.provider, bank.customer, bank.businesses, bank.nodes) == ("IT", "Retail", ("erp",), ())
    assert (bank.calendar.name, bank.zone, bank.period) == ("office", SHANGHAI, PeriodKind.QUARTER)
    assert (bank.availability_percent, bank.exclude_planned, bank.draft) == (99.9, True, False)
    assert (bank.response, bank.resolve) == ({Priority.P1: 600.0, Priority.P2: 1200.0}, {Priority.P1: 7200.0})
    assert (bank.valid_from, bank.valid_until, bank.review_on) == (date(2026, 1, 1), None, date(2026, 12, 1))
    assert bank.maintenance == (Maintenance(moment("16 09:00"), moment("16 16:00"), "new storage", "CHG-1"),)
    assert list(bank.maintenance_calendars[0].stretches(moment("15 00:00"), moment("17 00:00"))) == [
        (moment("15 22:00"), moment("16 02:00"))
    ]
    assert (isp.kind, isp.nodes, isp.calendar.name, isp.zone, isp.draft) == (
        AgreementKind.UC, ("line",), "always", datetime.fromisoformat("2026-01-01T00:00:00+00:00").tzinfo, True,
    )  # fmt: skip


def test_moments_with_and_without_a_zone_do_not_go_together(tmp_path: Path) -> None:
    assert mistakes(tmp_path, WHOLE) == [
        (
            "btimd.toml:26: sla.agreement.bank.maintenance[1]: 'from' and 'to' must both have +08:00 or the like behind"
            " them, or neither"
        )
    ]


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    text = """[sla.agreement.a]
kind = "slo"
availability_percent = 101
response = { P6 = "1h", P1 = "0s" }
timezone = "Mars/Olympus"
valid_from = 2026-02-01
valid_until = 2026-01-01
[[sla.agreement.a.maintenance]]
days = ["sun"]
[[sla.agreement.a.maintenance]]
from = 20260101
to = 2026-01-01
[[sla.agreement.a.maintenance]]
from = 2026-01-02T00:00:00
to = 2026-01-01T00:00:00
"""

    assert mistakes(tmp_path, text) == [
        "btimd.toml:2: sla.agreement.a.kind: 'slo' is not possible; write 'sla', 'ola' or 'uc'",
        "btimd.toml:3: sla.agreement.a.availability_percent: 101.0 is no percentage above 0 and up to 100",
        "btimd.toml:4: sla.agreement.a.response.P1: must be longer than nothing",
        "btimd.toml:4: sla.agreement.a.response.P6: 'P6' is not possible; write 'P1', 'P2', 'P3', 'P4' or 'P5'",
        (
            'btimd.toml:5: sla.agreement.a.timezone: \'Mars/Olympus\' is no time zone; write "Asia/Shanghai", "UTC",'
            ' "Europe/Berlin"'
        ),
        "btimd.toml:7: sla.agreement.a.valid_until: 2026-01-01 is before valid_from 2026-02-01",
        (
            'btimd.toml:8: sla.agreement.a.maintenance[0]: needs days = ["sun"] and hours = ["02:00-04:00"], or from ='
            " 2026-11-29T02:00:00 and to = a later one"
        ),
        (
            "btimd.toml:11: sla.agreement.a.maintenance[1].from: 20260101 is no moment; write 2026-11-29T02:00:00, or with"
            " +08:00 behind it"
        ),
        (
            "btimd.toml:12: sla.agreement.a.maintenance[1].to: 2026-01-01 is no moment; write"
            " 2026-11-29T02:00:00, or with +08:00 behind it"
        ),
        "btimd.toml:13: sla.agreement.a.maintenance[2]: 'to' is not after 'from'",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('kind = "sla"\nnodes = ["line"]', "an sla covers businesses; write businesses = [...] and no nodes"),
        ('kind = "sla"', "an sla covers businesses; write businesses = [...] and no nodes"),
        ('kind = "ola"\nbusinesses = ["erp"]', "an ola covers nodes; write nodes = [...] and no businesses"),
        ('kind = "uc"\nnodes = ["line"]', "an uc needs its provider; write provider = the name of who promises"),
    ],
)
def test_each_kind_covers_its_own(tmp_path: Path, text: str, told: str) -> None:
    written = f"[sla.agreement.a]\navailability_percent = 99\n{text}\n"

    assert mistakes(tmp_path, written) == [f"btimd.toml:1: sla.agreement.a: {told}"]


def test_names_that_nothing_has_are_told_with_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "btimd.toml").write_text(
        """[sla.agreement.bank]
kind = "sla"
businesses = ["erp", "epr"]
calendar = "ofice"
availability_percent = 99
[sla.agreement.isp]
kind = "uc"
provider = "Telecom"
nodes = ["lane"]
availability_percent = 99
""",
        "utf-8",
    )
    file = read_toml(tmp_path / "btimd.toml")
    tables = validate(file, Root).sla.agreement

    assert [str(one) for one in agreement_problems(file, tables, ["office", "always"], graph())] == [
        "btimd.toml:4: sla.agreement.bank.calendar: no calendar 'ofice'; did you mean 'office'?",
        "btimd.toml:3: sla.agreement.bank.businesses[1]: no business 'epr'; did you mean 'erp'?",
        "btimd.toml:9: sla.agreement.isp.nodes[0]: no node 'lane'; did you mean 'line'?",
    ]


def test_what_has_run_out_or_is_to_be_talked_about_is_told() -> None:
    ours = [
        agreement("a", valid_until=date(2026, 11, 15)),
        agreement("b", review_on=date(2026, 11, 16)),
        agreement("c", valid_until=date(2026, 11, 16), review_on=date(2026, 11, 17)),
    ]

    assert review_notes(ours, moment("16 12:00")) == [
        "agreement a ran out on 2026-11-15; renew it or take it away",
        "agreement b was to be reviewed on 2026-11-16; set the next date",
    ]


def test_all_that_is_to_be_noted_is_one_line_each() -> None:
    ours = [agreement(review_on=date(2026, 11, 1)), covering("isp", "line", availability_percent=99.0)]

    assert agreement_notes(ours, graph(), moment("16 12:00")) == [
        (
            "agreement bank: promises 99.9 % of erp, but what it stands on makes up 99 % at most (isp 99 %); ask more of"
            " them or promise less"
        ),
        "agreement bank was to be reviewed on 2026-11-01; set the next date",
    ]
