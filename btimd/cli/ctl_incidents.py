"""btimctl incidents and btimctl incident: find them, look at one, report one, work on one."""

import argparse
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from btimd.api.calls_incidents import count_incidents, find_incidents, show_incident, watch_incidents
from btimd.api.client import Page
from btimd.api.convert_incidents import ME
from btimd.cli.common import seconds_of
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.incident_screen import counts_table, incident_screen, incidents_table
from btimd.model.incident import ClosingReport, CommandKind, IncidentCommand, IncidentState, Priority
from btimd.model.incidentquery import IncidentDimension, IncidentQuery
from btimd.model.units import UnixSeconds

_CLOSING: Final = ("cause", "action", "node", "category", "article")


def add_commands(add: Add) -> None:
    """Add incidents and incident."""
    listed = add("incidents", show_list, "incidents, most urgent first; --all: also those that are over, newest first")
    _filters(listed)
    _actions(listed, listed_too=True)
    single = add("incident", show_one, "one incident (incident ID), and what is done to it (incident ACTION ID ...)")
    _actions(single, listed_too=False)


def with_action(arguments: Sequence[str]) -> list[str]:
    """Return arguments in which `incident ID` says `incident show ID`."""
    found = list(arguments)
    index = 0
    while index < len(found) and found[index].startswith("-"):  # options of btimctl itself
        index += 1 if found[index] in _SWITCHES or "=" in found[index] else 2
    if found[index : index + 1] == ["incident"] and len(found) > index + 1:
        following = found[index + 1]
        if not following.startswith("-") and following not in _ACTIONS:
            found.insert(index + 1, "show")
    return found


def show_list(asking: Asking, args: argparse.Namespace) -> int:
    """Show, count or follow incidents."""
    now = asking.clock.wall()
    query = _query(args, now)
    if args.watch:
        updates = watch_incidents(asking.client, query)
        asking.out.follow(updates, lambda rows: incidents_table(rows, asking.clock.wall()))
        return 0
    if args.count:
        group_by = [IncidentDimension(name) for name in dict.fromkeys(args.count)]
        counts, cut = count_incidents(asking.client, query, group_by, args.limit)
        asking.out.page(counts, lambda rows: counts_table(rows, group_by), "no incidents")
    else:
        page, cut = find_incidents(asking.client, query, args.limit)
        asking.out.page(page, lambda rows: incidents_table(rows, now), "no incidents")
    if cut:
        asking.out.note("older incidents were not looked at; narrow the time with --since, --from and --until")
    return 0


def show_one(asking: Asking, args: argparse.Namespace) -> int:
    """Show one incident with its timeline."""
    shown = show_incident(asking.client, args.id)
    asking.out.write([shown.incident, *shown.timeline], lambda: incident_screen(shown, asking.clock.wall()))
    return 0


def change(asking: Asking, args: argparse.Namespace) -> int:
    """Do something to an incident, and show what it is then."""
    given: dict[str, Any] = {
        name: getattr(args, name)
        for name in ("title", "category", "priority", "parent_id", "override_reason", "person", "level", "score")
        if getattr(args, name, None) is not None
    }
    until = getattr(args, "until", None)
    incident = asking.client.command(
        IncidentCommand(
            kind=args.kind,
            command_id=args.command_id or uuid.uuid4().hex,
            incident_id=getattr(args, "id", ""),
            expected_version=getattr(args, "expect_version", 0),
            text=getattr(args, "text", "") or "",
            businesses=tuple(getattr(args, "business", ()) or ()),
            closing=_closing(args) if args.kind is CommandKind.RESOLVE else None,
            until=None if until is None else until(asking.clock.wall()),
            **given,
        )
    )
    asking.out.page(Page([incident], more=False), lambda rows: incidents_table(rows, asking.clock.wall()), "")
    return 0


def _closing(args: argparse.Namespace) -> ClosingReport | None:
    given = {name: getattr(args, f"closing_{name}") for name in _CLOSING}
    effort = None if args.effort is None else round(args.effort / 60)
    return ClosingReport(effort_minutes=effort, **given) if effort is not None or any(given.values()) else None


def _query(args: argparse.Namespace, now: UnixSeconds) -> IncidentQuery:
    since = None if args.since is None else now - args.since
    return IncidentQuery(
        only_open=not (args.all or args.since is not None or args.opened_from is not None),
        states=frozenset(args.only_state),
        priorities=frozenset(args.only_priority),
        business=args.only_business or "",
        region=args.only_region,
        assignee=ME if args.mine else args.assignee,
        group=args.only_group,
        category=args.only_category,
        node=args.only_node,
        reporter=ME if args.reported else args.reporter,
        opened_from=args.opened_from if since is None else since,
        opened_before=args.opened_before,
        text=args.only_text,
    )


def _filters(made: argparse.ArgumentParser) -> None:
    """Add the filters; their names differ from those of actions, which would else inherit what they hold."""
    made.add_argument("--all", action="store_true", help="also those that are over; the newest first")
    made.add_argument("--mine", action="store_true", help="those that I have")
    made.add_argument("--reported", action="store_true", help="those that I reported")
    made.add_argument("--assignee", default="", metavar="PERSON", help="those that somebody has")
    made.add_argument("--reporter", default="", metavar="PERSON", help="those that somebody reported")
    made.add_argument("--group", dest="only_group", default="", metavar="GROUP")
    made.add_argument(
        "--state", dest="only_state", action="append", default=[], type=_state, metavar="STATE", help="may be repeated"
    )
    made.add_argument(
        "--priority",
        dest="only_priority",
        action="append",
        default=[],
        type=_priority,
        metavar="P1..P5",
        help="repeatable",
    )
    made.add_argument("--business", dest="only_business", metavar="ID")
    made.add_argument("--region", dest="only_region", default="", metavar="NAME")
    made.add_argument(
        "--category", dest="only_category", default="", metavar="CLASS", help="this class of trouble, or a part of it"
    )
    made.add_argument(
        "--node", dest="only_node", default="", metavar="ID", help="history of a device: it was the cause, or repaired"
    )
    made.add_argument(
        "--text", dest="only_text", default="", metavar="WORDS", help="in id, title, description, cause, closing report"
    )
    made.add_argument("--since", type=seconds_of, metavar="DURATION", help="opened so lately, as 7d; all of them")
    made.add_argument("--from", dest="opened_from", type=read_moment, metavar="TIME", help="opened then or later")
    made.add_argument("--until", dest="opened_before", type=read_moment, metavar="TIME", help="opened before")
    made.add_argument(
        "--count",
        action="append",
        default=[],
        choices=[dimension.value for dimension in IncidentDimension],
        help="count them by this in place of listing; up to three",
    )
    made.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")
    made.set_defaults(watch=False)


def _actions(made: argparse.ArgumentParser, *, listed_too: bool) -> None:
    actions = made.add_subparsers(metavar="ACTION", required=not listed_too)

    def action(name: str, run: Callable[[Asking, argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
        parser.set_defaults(run=lambda held, args: run(held.asking, args))
        return parser

    if listed_too:
        _filters(action("list", show_list, "open incidents, most urgent first"))
        watch = action("watch", show_list, "show the open incidents, then every change")
        _filters(watch)
        watch.set_defaults(watch=True)
    action("show", show_one, "one incident: clocks, orders, timers, timeline").add_argument("id", metavar="ID")
    create = action("create", change, "report an incident")
    create.add_argument("title", metavar="TITLE")
    create.add_argument("--business", action="append", metavar="ID", help="that is hit; may be repeated")
    create.add_argument("--text", default="", metavar="TEXT", help="all that is known")
    create.add_argument("--category", default="", metavar="CLASS", help="class of trouble")
    create.add_argument("--priority", type=_priority, metavar="P1..P5", help="by hand; default: by what is hit")
    create.add_argument("--reporter", dest="person", default="", metavar="PERSON", help="whose report it is")
    create.add_argument("--command-id", metavar="ID", help="makes a repeat harmless; default: a new one")
    create.set_defaults(kind=CommandKind.CREATE)

    def of(name: str, kind: CommandKind, text: str) -> argparse.ArgumentParser:
        parser = action(name, change, text)
        parser.add_argument("id", metavar="ID")
        parser.add_argument(
            "--expect-version", type=int, default=0, metavar="N", help="refuse where it has another one"
        )
        parser.add_argument("--command-id", metavar="ID", help="makes a repeat harmless; default: a new one")
        parser.set_defaults(kind=kind)
        return parser

    _of_handlers(of)
    _of_the_centre(of)
    _of_reporters(of)


def _of_handlers(of: Callable[[str, CommandKind, str], argparse.ArgumentParser]) -> None:
    _comment(of("accept", CommandKind.ACCEPT, "take it over"))
    _words(of("return", CommandKind.RETURN, "give it back: somebody else shall do it"), "REASON")
    transfer = of("transfer", CommandKind.TRANSFER, "hand it to a peer (btimctl duty candidates ID)")
    transfer.add_argument("person", metavar="PERSON")
    _words(transfer, "REASON")
    _words(of("escalate", CommandKind.ESCALATE, "ask for the next level"), "REASON")
    progress = of("progress", CommandKind.STAGE_REPORT, "report on progress; the reporter is told")
    _words(progress, "REPORT")
    progress.add_argument("--next", dest="until", type=_later, metavar="WHEN", help="when to expect more: 2h or a time")
    pend = of("pend", CommandKind.PEND, "let it wait for somebody outside")
    pend.add_argument("until", type=_later, metavar="UNTIL", help="a duration (2h) or a time (2026-11-22T18:00)")
    _words(pend, "REASON")
    _comment(of("resume", CommandKind.RESUME, "go on with what waits"))
    resolve = of("resolve", CommandKind.RESOLVE, "say what was wrong and what was done")
    _words(resolve, "REPORT")
    for name in _CLOSING:
        resolve.add_argument(
            f"--{name}", dest=f"closing_{name}", default="", metavar=name.upper(), help=_CLOSING_HELP[name]
        )
    resolve.add_argument("--effort", type=seconds_of, metavar="DURATION", help="work, as 45m")
    resolve.add_argument(
        "--override-reason", default="", metavar="REASON", help="needed while the trouble still shows: why it is solved"
    )
    merge = of("merge", CommandKind.MERGE, "make it part of another")
    merge.add_argument("parent_id", metavar="PARENT")
    _comment(merge)


_CLOSING_HELP: Final = {
    "cause": "what was wrong",
    "action": "what was done",
    "node": "what was repaired",
    "category": "class of trouble",
    "article": "knowledge article that helped",
}


def _of_the_centre(of: Callable[[str, CommandKind, str], argparse.ArgumentParser]) -> None:
    _words(of("hold", CommandKind.HOLD, "take it out of automatic dispatch"), "REASON")
    of("release", CommandKind.RELEASE, "give it back to automatic dispatch")
    assign = of("assign", CommandKind.ASSIGN, "give it to a person")
    assign.add_argument("person", metavar="PERSON")
    assign.add_argument("text", nargs="?", default="", metavar="REASON", help="needed where they are off duty")
    force = of("force-escalate", CommandKind.FORCE_ESCALATE, "send it to another level")
    _words(force, "REASON")
    force.add_argument("--level", type=int, default=0, metavar="N", help="from 1; default: the next one")
    priority = of("priority", CommandKind.SET_PRIORITY, "set its priority by hand")
    priority.add_argument("priority", type=_priority, metavar="P1..P5")
    _words(priority, "REASON")
    _words(of("cancel", CommandKind.CANCEL, "it was none"), "REASON")
    _words(of("unmerge", CommandKind.UNMERGE, "take it out of the incident it was made part of"), "REASON")


def _of_reporters(of: Callable[[str, CommandKind, str], argparse.ArgumentParser]) -> None:
    _words(of("comment", CommandKind.COMMENT, "add a line to its timeline"), "COMMENT")
    _comment(of("confirm", CommandKind.CONFIRM, "it is solved: close it"))
    _words(of("reject", CommandKind.REJECT, "it is not solved: open it again"), "REASON")
    survey = of("survey", CommandKind.SURVEY, "say how content you are, from 1 to 5")
    survey.add_argument("score", type=int, metavar="1..5")
    _comment(survey)


_ACTIONS: Final = frozenset({
    "show", "create", "accept", "return", "transfer", "escalate", "progress", "pend", "resume", "resolve", "merge",
    "hold", "release", "assign", "force-escalate", "priority", "cancel", "unmerge", "comment", "confirm", "reject",
    "survey",
})  # fmt: skip
_SWITCHES: Final = frozenset({"--json", "--tls", "--plaintext"})
"""Options of btimctl that take no value."""


def _words(made: argparse.ArgumentParser, what: str) -> None:
    made.add_argument("text", metavar=what)


def _comment(made: argparse.ArgumentParser) -> None:
    made.add_argument("--text", default="", metavar="TEXT", help="a comment")


def _priority(text: str) -> Priority:
    try:
        return Priority[text.upper()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"{text!r} is no priority; write P1, P2, P3, P4 or P5") from None


def _state(text: str) -> IncidentState:
    try:
        return IncidentState(text.lower())
    except ValueError:
        known = ", ".join(state.value for state in IncidentState)
        raise argparse.ArgumentTypeError(f"{text!r} is no state; write one of {known}") from None


def read_moment(text: str) -> UnixSeconds:
    """Read a time of this machine's zone, or with an offset."""
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 2026-11-22 or 2026-11-22T18:00") from None


def _later(text: str) -> Callable[[UnixSeconds], UnixSeconds]:
    """Read a duration from now, or a time; what is returned tells the moment."""
    try:
        seconds = seconds_of(text)
    except argparse.ArgumentTypeError:
        at = read_moment(text)
        return lambda _now: at
    return lambda now: now + seconds
