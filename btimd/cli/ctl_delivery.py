"""Commands of btimctl: targets, dead letters, and what other systems are owed of an incident."""

import argparse
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from btimd.api.calls_delivery import (
    dead_letter,
    dead_letters,
    delivery_actions,
    drop_dead_letter,
    edit_dead_letter,
    outbox,
    pause_target,
    resend_dead_letter,
    resume_target,
    targets,
    try_target,
)
from btimd.api.client import CallFailedError, Page
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, full_moment, moment, quantity, span
from btimd.model.delivery import (
    DeliveryAction,
    DeliveryTarget,
    ExternalReference,
    OutboxEntry,
    TargetState,
    TargetTrial,
)

_SHAPES: Final = {
    TargetState.HEALTHY: ("●", "green"),
    TargetState.HELD_BACK: ("▲", "yellow"),
    TargetState.REFUSES: ("✖", "red"),
    TargetState.PAUSED: ("‖", "yellow"),
}


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    made = add("targets", _targets, "the systems that incidents are delivered to; pause, resume or try one")
    made.add_argument("what", nargs="?", choices=("list", "try", "pause", "resume", "log"), default="list")
    made.add_argument("target", nargs="?", default="", metavar="TARGET")
    made.add_argument("reason", nargs="?", default="", metavar="REASON", help="pause, resume: why; it is logged")
    made.add_argument("--command-id", default="", metavar="ID", help="the same when a change is sent again")
    made.add_argument("--limit", type=int, default=0, metavar="N", help="log: at most so many; default 100")
    made = add("dead-letters", _letters, "what targets refused for good: list, show, edit, resend, drop")
    made.add_argument("what", nargs="?", choices=("list", "show", "edit", "resend", "drop"), default="list")
    made.add_argument("id", nargs="?", default="", metavar="ID")
    made.add_argument("reason", nargs="?", default="", metavar="REASON", help="edit, resend, drop: why; it is logged")
    made.add_argument("--target", default="", help="list: only of this target")
    made.add_argument("--file", type=Path, metavar="FILE", help="edit: the new body")
    made.add_argument("--command-id", default="", metavar="ID", help="the same when a change is sent again")
    made.add_argument("--limit", type=int, default=0, metavar="N", help="list: at most so many; default 100")
    made = add("outbox", _outbox, "what other systems are owed of an incident, and what they call it")
    made.add_argument("incident", metavar="INCIDENT")
    made.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many; default 100")


def _targets(asking: Asking, args: argparse.Namespace) -> int:
    now, client = asking.clock.wall(), asking.client
    if args.what == "list":
        asking.out.page(targets(client), lambda found: targets_table(found, now), "no target is configured")
        return 0
    if args.what == "log":
        found = delivery_actions(client, args.target, limit=args.limit)
        asking.out.page(found, actions_table, "nobody changed anything")
        return 0
    if not args.target:
        raise CallFailedError(f"targets {args.what}: say which one; `btimctl targets` lists them")
    if args.what == "try":
        trial = try_target(client, args.target)
        asking.out.write([trial], lambda: trial_text(trial))
        return 0 if trial.is_reachable and trial.credentials.value != "refused" else 1
    change = pause_target if args.what == "pause" else resume_target
    target = change(client, args.target, _reason(args, "targets"), _command_id(args))
    asking.out.write([target], lambda: targets_table([target], now))
    return 0


def _letters(asking: Asking, args: argparse.Namespace) -> int:
    client = asking.client
    if args.what == "list":
        asking.out.page(dead_letters(client, args.target, args.limit), letters_table, "there is no dead letter")
        return 0
    if not args.id:
        raise CallFailedError(f"dead-letters {args.what}: say which one; `btimctl dead-letters` lists them")
    if args.what == "show":
        letter = dead_letter(client, args.id)
    elif args.what == "edit":
        letter = edit_dead_letter(client, args.id, _body(args.file), _reason(args, "dead-letters"), _command_id(args))
    else:
        change = resend_dead_letter if args.what == "resend" else drop_dead_letter
        letter = change(client, args.id, _reason(args, "dead-letters"), _command_id(args))
    asking.out.write([letter], lambda: letter_text(letter))
    return 0


def _outbox(asking: Asking, args: argparse.Namespace) -> int:
    page, references = outbox(asking.client, args.incident, args.limit)
    if page.items:
        found = Page([*page.items, *references], page.more)
        asking.out.page(found, lambda _: outbox_tables(page.items, references), "")
    else:
        asking.out.page(page, lambda _: Text(""), "no target is owed anything of this incident")
    return 0


def _reason(args: argparse.Namespace, command: str) -> str:
    if not args.reason:
        raise CallFailedError(f"{command} {args.what}: say why; it is logged")
    reason: str = args.reason
    return reason


def _command_id(args: argparse.Namespace) -> str:
    return args.command_id or uuid.uuid4().hex


def _body(path: Path | None) -> str:
    if path is None:
        raise CallFailedError("dead-letters edit: say what the body shall be: --file FILE")
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CallFailedError(f"cannot read {path}: {error}") from error


def targets_table(found: Sequence[DeliveryTarget], now: float) -> Table:
    """Show targets; "tested on" says what the adapter was tested against."""
    numbers = ("waiting", "dead")
    table = new_table(
        "target", "kind", "tier", "state", *numbers, "oldest", "last success", "tested on", "why", right=numbers,
        wide="why",
    )  # fmt: skip
    return fill(
        table,
        (
            (
                one.name,
                one.kind,
                str(one.tier),
                Text(f"{_SHAPES[one.state][0]} {one.state.value}", style=_SHAPES[one.state][1]),
                quantity(one.pending + one.in_flight),
                quantity(one.dead),
                "-" if one.oldest_at is None else span(max(now - one.oldest_at, 0.0)),
                moment(one.last_success_at, None),
                "the real one" if one.proven_against.value == "real-server" else "published rules",
                _why(one),
            )
            for one in found
        ),
    )


def _why(target: DeliveryTarget) -> str:
    if target.state is TargetState.PAUSED:
        return f"{target.reason} ({target.paused_by}, {full_moment(target.paused_at)})"
    return target.reason or target.last_error or "-"


def trial_text(trial: TargetTrial) -> Text:
    """Say what came of asking a target."""
    reached = "answers" if trial.is_reachable else "does not answer"
    credentials = {
        "accepted": "credentials accepted",
        "refused": "credentials refused",
        "not-tested": "credentials not tested",
    }[trial.credentials.value]
    return Text(clean(f"{trial.target} {reached} ({span(trial.took_seconds)}); {credentials}; {trial.detail}"))


def letters_table(found: Sequence[OutboxEntry]) -> Table:
    """Show dead letters."""
    table = new_table("id", "target", "died", "attempts", "why", right=("attempts",), wide="why")
    return fill(
        table, ((one.id, one.target, moment(one.ended_at, None), str(one.attempts), one.last_error) for one in found)
    )


def letter_text(letter: OutboxEntry) -> Text:
    """Show a message with its body."""
    lines = [
        f"{letter.id}  {letter.state.value}  attempts {letter.attempts}",
        f"owed since {full_moment(letter.created_at)}; ended {full_moment(letter.ended_at)}",
        f"last: {clean(letter.last_error) or '-'}",
        clean(letter.content_type),
        "",
        clean(letter.body),
    ]
    return Text("\n".join(lines))


def outbox_tables(entries: Sequence[OutboxEntry], references: Sequence[ExternalReference]) -> RenderableType:
    """Show what targets are owed of an incident, and what they call it."""
    table = new_table("event", "target", "state", "attempts", "since", "ended", "last", right=("event", "attempts"),
                      wide="last")  # fmt: skip
    fill(
        table,
        (
            (
                str(one.seq),
                one.target,
                one.state.value + (" (may have arrived)" if one.is_uncertain and one.ended_at is None else ""),
                str(one.attempts),
                moment(one.created_at, None),
                moment(one.ended_at, None),
                one.last_error or "-",
            )
            for one in entries
        ),
    )
    named = new_table("target", "calls it", "has event", right=("has event",))
    fill(named, ((one.target, one.external_id, str(one.seq)) for one in references))
    return Group(table, Text(""), named) if references else table


def actions_table(found: Sequence[DeliveryAction]) -> Table:
    """Show what people did."""
    table = new_table("at", "who", "did", "to", "why", wide="why")
    return fill(
        table,
        ((moment(one.at, None), one.actor, one.kind.value, one.message_id or one.target, one.reason) for one in found),
    )
