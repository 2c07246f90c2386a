import pytest

from btimd.itsm.commands import check_command, check_version, manual_report, trigger_of
from btimd.itsm.triggers import (
    Accept,
    Assign,
    Cancel,
    Comment,
    Confirm,
    Escalate,
    ForceEscalate,
    Hold,
    MergeInto,
    Pend,
    Reject,
    Release,
    Resolve,
    Resume,
    Return,
    SetPriority,
    StageReport,
    Survey,
    Transfer,
    Trigger,
    Unmerge,
)
from btimd.model.incident import (
    ClosingReport,
    CommandKind,
    CommandRefusedError,
    Difficulty,
    Impact,
    ImpactAssessment,
    IncidentCommand,
    Priority,
    RefusalCode,
    Urgency,
)
from tests.itsm.examples import T0, incident_after, report

PARENT = incident_after(report())


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (IncidentCommand(CommandKind.ACCEPT, "c"), Accept(actor="ann", command_id="c")),
        (
            IncidentCommand(CommandKind.RESOLVE, "c", text="done", override_reason="known"),
            Resolve(actor="ann", command_id="c", closing_report="done", override_reason="known"),
        ),
        (IncidentCommand(CommandKind.CONFIRM, "c", text="ok"), Confirm(actor="ann", command_id="c", text="ok")),
        (IncidentCommand(CommandKind.CANCEL, "c", text="no"), Cancel(actor="ann", command_id="c", reason="no")),
        (IncidentCommand(CommandKind.COMMENT, "c", text="hm"), Comment(actor="ann", command_id="c", text="hm")),
        (
            IncidentCommand(CommandKind.SET_PRIORITY, "c", text="vip", priority=Priority.P1),
            SetPriority(actor="ann", command_id="c", priority=Priority.P1, reason="vip"),
        ),
        (
            IncidentCommand(CommandKind.MERGE, "c", text="same", parent_id=PARENT.id),
            MergeInto(actor="ann", command_id="c", parent=PARENT, reason="same"),
        ),
        (IncidentCommand(CommandKind.HOLD, "c", text="x"), Hold(actor="ann", command_id="c", reason="x")),
        (IncidentCommand(CommandKind.RELEASE, "c"), Release(actor="ann", command_id="c")),
        (
            IncidentCommand(CommandKind.ASSIGN, "c", text="x", person="bob"),
            Assign(actor="ann", command_id="c", reason="x", person="bob"),
        ),
        (IncidentCommand(CommandKind.RETURN, "c", text="x"), Return(actor="ann", command_id="c", reason="x")),
        (
            IncidentCommand(CommandKind.TRANSFER, "c", text="x", person="bob"),
            Transfer(actor="ann", command_id="c", reason="x", person="bob"),
        ),
        (IncidentCommand(CommandKind.ESCALATE, "c", text="x"), Escalate(actor="ann", command_id="c", reason="x")),
        (
            IncidentCommand(CommandKind.FORCE_ESCALATE, "c", text="x", level=2),
            ForceEscalate(actor="ann", command_id="c", reason="x", level=2),
        ),
        (
            IncidentCommand(CommandKind.STAGE_REPORT, "c", text="x", until=T0),
            StageReport(actor="ann", command_id="c", text="x", next_at=T0),
        ),
        (
            IncidentCommand(CommandKind.PEND, "c", text="x", until=T0),
            Pend(actor="ann", command_id="c", reason="x", until=T0),
        ),
        (IncidentCommand(CommandKind.RESUME, "c", text="x"), Resume(actor="ann", command_id="c", text="x")),
        (IncidentCommand(CommandKind.REJECT, "c", text="x"), Reject(actor="ann", command_id="c", reason="x")),
        (
            IncidentCommand(CommandKind.SURVEY, "c", text="x", score=4),
            Survey(actor="ann", command_id="c", text="x", score=4),
        ),
        (
            IncidentCommand(CommandKind.UNMERGE, "c", text="x"),
            Unmerge(actor="ann", command_id="c", parent=PARENT, reason="x"),
        ),
    ],
)
def test_a_command_becomes_a_trigger(command: IncidentCommand, expected: Trigger) -> None:
    assert trigger_of(command, "ann", PARENT) == expected


def test_a_persons_report_is_an_incident_of_its_own() -> None:
    command = IncidentCommand(
        CommandKind.CREATE, "c-1", title=" No mail ", text="since lunch", businesses=("mail", "mail")
    )

    assert manual_report(command, "ann", incident_id="I", impact=Impact.LOW, now=T0) == report(
        actor="ann",
        command_id="c-1",
        incident_id="I",
        fingerprint="manual/c-1",
        title="No mail",
        description="since lunch",
        cause="",
        verdict_id="",
        confidence=0.0,
        impact=Impact.LOW,
        urgency=Urgency.MEDIUM,
        assessment=ImpactAssessment(businesses=("mail",)),
        began_at=T0,
        by_human=True,
        difficulty=Difficulty.HIGH,
    )


def test_a_report_that_is_taken_down_for_somebody_is_theirs() -> None:
    command = IncidentCommand(CommandKind.CREATE, "c-1", title="No mail", person=" lin ")

    assert manual_report(command, "ann", incident_id="I", impact=Impact.LOW, now=T0).reporter == "lin"


@pytest.mark.parametrize(
    "command",
    [
        IncidentCommand(CommandKind.CREATE, "c", title=" "),
        IncidentCommand(CommandKind.CREATE, "c", title="x" * 201),
        IncidentCommand(CommandKind.CREATE, "c", title="x", businesses=("b",) * 101),
    ],
)
def test_a_report_that_says_too_little_or_too_much_is_refused(command: IncidentCommand) -> None:
    with pytest.raises(CommandRefusedError) as refused:
        manual_report(command, "ann", incident_id="I", impact=Impact.LOW, now=T0)

    assert refused.value.code is RefusalCode.INVALID


@pytest.mark.parametrize(
    "kind", [CommandKind.SET_PRIORITY, CommandKind.MERGE, CommandKind.UNMERGE, CommandKind.PEND, CommandKind.SURVEY]
)
def test_a_command_without_its_object_is_refused(kind: CommandKind) -> None:
    with pytest.raises(CommandRefusedError) as refused:
        trigger_of(IncidentCommand(kind, "c"), "ann", None)

    assert refused.value.code is RefusalCode.INVALID


@pytest.mark.parametrize(
    "command",
    [
        IncidentCommand(CommandKind.ACCEPT, ""),
        IncidentCommand(CommandKind.ACCEPT, "c" * 201),
        IncidentCommand(CommandKind.COMMENT, "c", text="x" * 10_001),
        IncidentCommand(CommandKind.RESOLVE, "c", override_reason="x" * 10_001),
        IncidentCommand(CommandKind.RESOLVE, "c", closing=ClosingReport(cause="x" * 10_001)),
        IncidentCommand(CommandKind.RESOLVE, "c", closing=ClosingReport(article="x" * 201)),
        IncidentCommand(CommandKind.RESOLVE, "c", closing=ClosingReport(effort_minutes=-1)),
        IncidentCommand(CommandKind.ASSIGN, "c", person="x" * 201),
        IncidentCommand(CommandKind.PEND, "c", until=float("nan")),
    ],
)
def test_a_command_that_is_wrong_for_anything_is_refused(command: IncidentCommand) -> None:
    with pytest.raises(CommandRefusedError) as refused:
        check_command(command)

    assert refused.value.code is RefusalCode.INVALID


def test_a_command_given_in_view_of_another_version_is_refused() -> None:
    check_version(IncidentCommand(CommandKind.ACCEPT, "c", expected_version=1), PARENT)
    check_version(IncidentCommand(CommandKind.ACCEPT, "c"), PARENT)
    with pytest.raises(CommandRefusedError, match="has version 1, not 7; look at it again") as refused:
        check_version(IncidentCommand(CommandKind.ACCEPT, "c", expected_version=7), PARENT)

    assert refused.value.code is RefusalCode.WRONG_VERSION
