"""Commands of btimctl: problems, known errors, proposals, and changes."""

import argparse
import sys
import uuid
from collections.abc import Sequence
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.api import calls_knowledge as calls
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_history import add_window, day_of, history_table, window_of
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, full_moment, moment, percent
from btimd.model.knowledge import Change, ChangeState, Problem, ProblemState
from btimd.model.knowledgework import ChangeFigures, ProposedProblem

_LIVE: Final = tuple(state for state in ProblemState if state is not ProblemState.CLOSED)
_KNOWN: Final = (ProblemState.KNOWN_ERROR, ProblemState.RFC_RAISED)
_STYLES: Final = {
    ProblemState.OPEN: "red", ProblemState.INVESTIGATING: "yellow", ProblemState.KNOWN_ERROR: "magenta",
    ProblemState.RFC_RAISED: "cyan", ProblemState.CLOSED: "bright_black",
}  # fmt: skip
_CHANGE_STYLES: Final = {
    ChangeState.PLANNED: "cyan", ChangeState.SUCCEEDED: "green", ChangeState.FAILED: "red",
    ChangeState.BACKED_OUT: "yellow", ChangeState.CANCELLED: "bright_black",
}  # fmt: skip
_ENDS: Final = {"succeeded": "", "failed": "", "backed-out": "", "cancelled": ""}


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    _add_problems(add)
    _add_changes(add)


def _add_problems(add: Add) -> None:
    top = add("problem", _problem, "problems, the roots of incidents: proposed, looked into, known errors, closed")
    what = top.add_subparsers(dest="what", required=True, metavar="WHAT")
    listed = what.add_parser("list", help="problems that are not closed, the latest changed first")
    listed.add_argument("--all", action="store_true", help="also closed ones")
    listed.add_argument("--incident", default="", metavar="ID", help="only those of this incident")
    listed.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")
    known = what.add_parser("known-errors", help="root causes that are known, with what helps until they are removed")
    known.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")
    what.add_parser("proposals", help="what incidents call for; a person decides")
    dismiss = what.add_parser("dismiss", help="a proposal is none")
    dismiss.add_argument("key", metavar="KEY")
    dismiss.add_argument("reason", metavar="REASON")
    made = what.add_parser("open", help="put a problem on record, of incidents or as it is proposed")
    made.add_argument("title", nargs="?", default="", metavar="TITLE")
    made.add_argument("--proposal", default="", metavar="KEY", help="as this proposal says")
    made.add_argument("--incident", action="append", default=[], metavar="ID", help="may be repeated")
    made.add_argument("--node", default="", metavar="NODE", help="at its root")
    made.add_argument("--text", default="", metavar="TEXT", help="what is known")
    made.add_argument("--owner", default="", metavar="PERSON")
    for name, words, text in (
        ("show", (), "one problem with its history"),
        ("note", ("FINDING",), "something was found out"),
        ("link", ("INCIDENT",), "an incident has the same root"),
        ("unlink", ("INCIDENT", "REASON"), "an incident has another root after all"),
        ("close", ("REASON",), "it is dealt with"),
        ("article", (), "make a draft of an article of its workaround"),
    ):
        step = what.add_parser(name, help=text)
        step.add_argument("id", metavar="ID")
        for word in words:
            step.add_argument(word.lower(), metavar=word)
    looked = what.add_parser("investigate", help="somebody looks for the root")
    looked.add_argument("id", metavar="ID")
    looked.add_argument("--owner", default="", metavar="PERSON", help="default: who asks")
    error = what.add_parser("known-error", help="the root cause is known, and what helps until it is removed")
    error.add_argument("id", metavar="ID")
    error.add_argument("cause", metavar="CAUSE")
    error.add_argument("workaround", metavar="WORKAROUND")
    error.add_argument("--article", default="", metavar="ID", help="the article that describes it")
    rfc = what.add_parser("rfc", help="the text of a request for change; with --change-id: it was asked for")
    rfc.add_argument("id", metavar="ID")
    rfc.add_argument("--change", default="", metavar="TEXT", help="what is to be done")
    rfc.add_argument("--risk", default="", metavar="TEXT", help="what may go wrong, and how to go back")
    rfc.add_argument("--change-id", default="", metavar="ID", help="its id, here or in the company's own system")


def _add_changes(add: Add) -> None:
    top = add("changes", _changes, "planned and made changes, and how many succeed")
    what = top.add_subparsers(dest="what", required=True, metavar="WHAT")
    listed = what.add_parser("list", help="changes, the latest changed first")
    listed.add_argument("--state", action="append", default=[], choices=[one.value for one in ChangeState])
    listed.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")
    what.add_parser("show", help="one change with its history").add_argument("id", metavar="ID")
    plan = what.add_parser("plan", help="plan a change")
    plan.add_argument("title", metavar="TITLE")
    plan.add_argument("at", type=day_of, metavar="TIME", help="2026-12-01T22:00 (UTC), or with +08:00")
    plan.add_argument("--node", action="append", default=[], metavar="NODE", help="that it is made on; may repeat")
    plan.add_argument("--problem", default="", metavar="ID", help="whose cause it removes")
    end = what.add_parser("end", help="what became of a change; anything but success needs a reason")
    end.add_argument("id", metavar="ID")
    end.add_argument("outcome", choices=list(_ENDS))
    end.add_argument("reason", nargs="?", default="", metavar="REASON")
    blame = what.add_parser("blame", help="a change caused an incident")
    blame.add_argument("id", metavar="ID")
    blame.add_argument("incident", metavar="INCIDENT")
    blame.add_argument("reason", nargs="?", default="", metavar="REASON")
    add_window(what.add_parser("figures", help="how many changes succeeded"), "30d")


def _command_id() -> str:
    return uuid.uuid4().hex


def _problem(asking: Asking, args: argparse.Namespace) -> int:
    client, out = asking.client, asking.out
    match args.what:
        case "list":
            states = () if args.all or args.incident else _LIVE
            page = calls.problems(client, states=states, incident_id=args.incident, limit=args.limit)
            out.page(page, problems_table, "no problem is on record")
        case "known-errors":
            page = calls.problems(client, states=_KNOWN, limit=args.limit)
            out.page(page, known_errors_table, "no error is known")
        case "proposals":
            out.page(calls.proposals(client), proposals_table, "nothing is proposed")
        case "dismiss":
            gone = calls.dismiss(client, args.key, args.reason)
            out.write([gone], lambda: Text(clean(f"{gone.key}: it is none")))
        case "show":
            found, history = calls.problem(client, args.id)
            out.write([found, *history], lambda: Group(problem_picture(found), Text(""), history_table(history)))
        case "article":
            made = calls.draft_of_problem(client, args.id, _command_id())
            out.write([made], lambda: Text(clean(f"{made.id}: draft {made.title}")))
        case "rfc" if not args.change_id:
            sys.stdout.write(clean(calls.change_request_text(client, args.id, change=args.change, risk=args.risk)))
        case _:
            after = calls.on_problem(client, args.what, _command_id(), **_said(args))
            out.write([after], lambda: problems_table([after]))
    return 0


def _said(args: argparse.Namespace) -> dict[str, object]:
    """Return the fields of a step's request."""
    match args.what:
        case "open":
            return {
                "title": args.title, "description": args.text, "node": args.node, "incidents": args.incident,
                "owner": args.owner, "proposal_key": args.proposal,
            }  # fmt: skip
        case "investigate":
            said: dict[str, object] = {"owner": args.owner}
        case "note":
            said = {"finding": args.finding}
        case "known-error":
            said = {"cause": args.cause, "workaround": args.workaround, "article_id": args.article}
        case "rfc":
            said = {"change_id": args.change_id}
        case "link":
            said = {"incident_id": args.incident}
        case "unlink":
            said = {"incident_id": args.incident, "reason": args.reason}
        case _:
            said = {"reason": args.reason}
    return {"problem_id": args.id, **said}


def _changes(asking: Asking, args: argparse.Namespace) -> int:
    client, out = asking.client, asking.out
    match args.what:
        case "list":
            page = calls.changes(client, states=[ChangeState(one) for one in args.state], limit=args.limit)
            out.page(page, changes_table, "no change is on record")
            return 0
        case "show":
            found, history = calls.change(client, args.id)
            out.write([found, *history], lambda: Group(changes_table([found]), Text(""), history_table(history)))
            return 0
        case "figures":
            figures = calls.change_figures(client, *window_of(args, asking.clock.wall()))
            out.write([figures], lambda: change_figures_picture(figures))
            return 0
        case "plan":
            made = calls.plan_change(
                client, args.title, args.at, _command_id(), nodes=args.node, problem_id=args.problem
            )
        case "end":
            made = calls.end_change(client, args.id, ChangeState(args.outcome), args.reason, _command_id())
        case _:
            made = calls.blame_change(client, args.id, args.incident, args.reason, _command_id())
    out.write([made], lambda: changes_table([made]))
    return 0


def problems_table(problems: Sequence[Problem]) -> Table:
    """Show problems."""
    table = new_table(
        "id", "state", "opened", "incidents", "node", "owner", "title", right=("incidents",), wide="title"
    )
    return fill(
        table,
        (
            (one.id, Text(one.state.value, style=_STYLES[one.state]), moment(one.opened_at), str(one.incident_count),
             one.node or "-", one.owner or "-", one.title)
            for one in problems
        ),
    )  # fmt: skip


def known_errors_table(problems: Sequence[Problem]) -> Table:
    """Show known errors with their workarounds."""
    table = new_table("id", "incidents", "node", "change", "what", right=("incidents",), wide="what")

    def what(one: Problem) -> Text:
        text = Text(clean(one.title), style="bold")
        text.append(f"\ncause: {clean(one.cause)}\nworkaround: {clean(one.workaround)}", style="default")
        return text

    return fill(
        table, ((one.id, str(one.incident_count), one.node or "-", one.change_id or "-", what(one)) for one in problems)
    )


def proposals_table(proposals: Sequence[ProposedProblem]) -> Table:
    """Show what is proposed."""
    table = new_table("proposed", "key", "incidents", "why", right=("incidents",), wide="why")
    return fill(
        table,
        ((moment(one.proposed_at), one.key, str(len(one.incidents)), f"{one.title}: {one.why}") for one in proposals),
    )


def problem_picture(problem: Problem) -> Table:
    """Show all of one problem."""
    more = problem.incident_count - len(problem.incidents)
    lines = {
        "problem": f"{problem.id}, version {problem.version}",
        "title": problem.title,
        "state": problem.state.value,
        "why": f"{problem.origin.value}{f', {problem.key}' if problem.key else ''}",
        "what is known": problem.description,
        "node": problem.node,
        "incidents": f"{', '.join(problem.incidents) or 'none'}{f' and {more} more' if more > 0 else ''}",
        "owner": problem.owner,
        "root cause": problem.cause,
        "workaround": problem.workaround,
        "article": problem.article_id,
        "change": problem.change_id,
        "opened": full_moment(problem.opened_at),
        "cause known": full_moment(problem.known_error_at) if problem.known_error_at else "",
        "change asked for": full_moment(problem.rfc_at) if problem.rfc_at else "",
        "closed": f"{full_moment(problem.closed_at)}: {problem.closing_note}" if problem.closed_at else "",
    }
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return fill(table, ((name, value) for name, value in lines.items() if value))


def changes_table(changes: Sequence[Change]) -> Table:
    """Show changes."""
    table = new_table("id", "state", "planned", "ended", "nodes", "problem", "caused", "title", wide="title")
    return fill(
        table,
        (
            (one.id, Text(one.state.value, style=_CHANGE_STYLES[one.state]), moment(one.planned_at),
             moment(one.ended_at), ", ".join(one.nodes) or "-", one.problem_id or "-",
             ", ".join(one.incidents) or "-", f"{one.title}{f': {one.note}' if one.note else ''}")
            for one in changes
        ),
    )  # fmt: skip


def change_figures_picture(figures: ChangeFigures) -> Text:
    """Show how many changes succeeded; those whose end nobody told are told apart."""
    rate = "no change was made" if figures.success_rate is None else f"{percent(figures.success_rate)} succeeded"
    lines = [
        f"{rate} ({figures.succeeded} of {figures.made} made, without causing an incident)",
        f"incidents caused: {figures.caused_incidents}; cancelled: {figures.cancelled}",
    ]
    text = Text("\n".join(lines))
    if figures.overdue:
        text.append(f"\n{figures.overdue} are over time, and nobody said how they ended", style="yellow")
    return text
