"""The classification: the first row that fits decides, every column that is given must fit."""

from dataclasses import replace

import pytest

from btimd.itsm.intake.classify import SHIPPED, ClassRule, class_of_kind, classify
from btimd.model.incident import Impact, Urgency
from btimd.model.report import Report, ReportChannel, ReportSeverity, ReportSignal
from btimd.model.service import NodeKind

ONE = Report(
    id="R", channel=ReportChannel.EMAIL, source="mon@example.net", reporter="", received_at=1.0, key="k",
    signal=ReportSignal.PROBLEM, title="Tablespace USERS full", text="", host="ora7", severity=ReportSeverity.MEDIUM,
)  # fmt: skip
RULE = ClassRule(
    "finance", channels={ReportChannel.EMAIL}, sources=("MON@*",), hosts=("ora?",), words=("tablespace",),
    kinds={NodeKind.DATABASE}, severities={ReportSeverity.MEDIUM}, urgency=Urgency.HIGH, impact=Impact.HIGH, path="dba",
)  # fmt: skip


def test_a_row_gives_class_urgency_impact_and_path() -> None:
    found = classify(ONE, [RULE, *SHIPPED], NodeKind.DATABASE)
    assert found == replace(ONE, class_="finance", urgency=Urgency.HIGH, impact=Impact.HIGH, path="dba")


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, channel=ReportChannel.TRAP), replace(ONE, source="x"), replace(ONE, host="web"),
        replace(ONE, title="x"), replace(ONE, severity=ReportSeverity.LOW),
    ],
)  # fmt: skip
def test_a_row_does_not_fit_where_one_column_does_not(other: Report) -> None:
    assert classify(other, [RULE], NodeKind.DATABASE).class_ == "unclassified"
    assert classify(ONE, [RULE], NodeKind.HOST).class_ == "unclassified"


def test_the_class_of_a_node_follows_from_its_kind_alone() -> None:
    assert {kind.value: class_of_kind(kind) for kind in NodeKind} == {
        "business": "application",
        "user": "",
        "network": "network",
        "application": "application",
        "middleware": "middleware",
        "database": "database",
        "shared": "shared",
        "os": "server",
        "host": "server",
        "facility": "facility",
    }


def test_without_a_row_the_severity_gives_the_urgency() -> None:
    assert classify(ONE, []).urgency is Urgency.MEDIUM
    assert classify(replace(ONE, severity=ReportSeverity.UNKNOWN), []).urgency is None


def test_what_somebody_chose_stays() -> None:
    chosen = replace(ONE, class_="mine", urgency=Urgency.LOW)
    found = classify(chosen, [RULE], NodeKind.DATABASE)
    assert (found.class_, found.urgency, found.impact) == ("mine", Urgency.LOW, Impact.HIGH)


def test_the_shipped_rows_know_kinds_of_nodes_and_words_of_both_languages() -> None:
    assert classify(ONE, SHIPPED).class_ == "database"
    assert classify(replace(ONE, title="交换机端口中断"), SHIPPED).class_ == "network"
    assert classify(replace(ONE, title="x"), SHIPPED, NodeKind.OS).class_ == "server"
    assert classify(replace(ONE, title="x"), SHIPPED).class_ == "unclassified"
