"""Commands of btimctl: reports that came by whatever channel, and telling of something."""

import argparse
import uuid
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from btimd.api.calls_reports import create_report, report, report_counts, reports
from btimd.api.client import CallFailedError
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, full_moment, moment, quantity, span
from btimd.model.report import (
    ReportChannel,
    ReportCount,
    ReportFilter,
    ReportReceipt,
    ReportSeverity,
    ReportState,
    ReportStorm,
    StoredReport,
)


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    made = add("reports", _reports, "what was reported by mail, webhook, traps, syslog and people; counts and storms")
    made.add_argument("what", nargs="?", choices=("list", "show", "counts"), default="list")
    made.add_argument("id", nargs="?", default="", metavar="ID")
    made.add_argument("--channel", choices=[one.value for one in ReportChannel], help="only what came this way")
    made.add_argument("--source", help="only of this system or person")
    made.add_argument("--state", choices=[one.value for one in ReportState], help="only what became this")
    made.add_argument("--incident", help="only of this incident")
    made.add_argument("--under", metavar="ID", help="only what this summary stands for")
    made.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")
    made = add("report", _report, "tell that something is wrong; only a title is needed")
    made.add_argument("title", metavar="TITLE")
    made.add_argument("--text", default="", help="more about it")
    made.add_argument("--node", default="", help="the node it is about, by any of its names")
    made.add_argument("--business", default="", help="the business it is about")
    made.add_argument("--severity", choices=[one.value for one in ReportSeverity], help="how bad it is")
    made.add_argument("--reporter", default="", metavar="PERSON", help="who told it, where you type it in for them")
    made.add_argument("--command-id", default="", metavar="ID", help="the same when it is sent again")


def _reports(asking: Asking, args: argparse.Namespace) -> int:
    client = asking.client
    if args.what == "counts":
        counts, storms = report_counts(client)
        asking.out.write([*counts, *storms], lambda: counts_tables(counts, storms, asking.clock.wall()))
        return 0
    if args.what == "show":
        if not args.id:
            raise CallFailedError("reports show: say which one; `btimctl reports` lists them")
        found = report(client, args.id)
        asking.out.write([found], lambda: report_text(found))
        return 0
    wanted = ReportFilter(
        channel=ReportChannel(args.channel) if args.channel else None,
        source=args.source,
        state=ReportState(args.state) if args.state else None,
        incident_id=args.incident,
        folded_into=args.under,
    )
    asking.out.page(reports(client, wanted, args.limit), reports_table, "nothing was reported")
    return 0


def _report(asking: Asking, args: argparse.Namespace) -> int:
    receipt = create_report(
        asking.client,
        command_id=args.command_id or uuid.uuid4().hex,
        title=args.title,
        text=args.text,
        node=args.node,
        business=args.business,
        severity=ReportSeverity(args.severity) if args.severity else None,
        reporter=args.reporter,
    )
    asking.out.write([receipt], lambda: Text(clean(receipt_text(receipt))))
    return 0


def receipt_text(receipt: ReportReceipt) -> str:
    """Say what became of a report."""
    if receipt.folded_into:
        return f"report {receipt.report_id}: counted with others of its cause, told of in {receipt.folded_into}"
    if receipt.incident_id:
        return f"report {receipt.report_id}: incident {receipt.incident_id}"
    return f"report {receipt.report_id} is kept; its incident is not known yet"


def reports_table(found: Sequence[StoredReport]) -> Table:
    """Show reports."""
    table = new_table("id", "at", "by", "from", "says", "state", "incident", "title", wide="title")
    return fill(
        table,
        (
            (
                one.report.id,
                moment(one.report.received_at, None),
                one.report.channel.value,
                one.report.source,
                f"{one.report.signal.value} {one.report.severity.value}",
                one.state.value,
                one.incident_id or "-",
                f"{one.report.title} (x{one.report.count})" if one.report.count > 1 else one.report.title,
            )
            for one in found
        ),
    )


def report_text(stored: StoredReport) -> Text:
    """Show a report with what it said."""
    one = stored.report
    facts = {
        "state": stored.state.value + (f", incident {stored.incident_id}" if stored.incident_id else ""),
        "part of": stored.folded_into,
        "received": f"{full_moment(one.received_at)} by {one.channel.value} from {one.source}",
        "reporter": one.reporter,
        "happened": one.occurred_at,
        "says": f"{one.signal.value}, {one.severity.value}",
        "stands for": str(one.count) if one.count > 1 else "",
        "about": " ".join(part for part in (one.node or one.host, one.check, one.business) if part),
        "class": one.class_ + (f", path {one.path}" if one.path else ""),
        "read by": one.template,
        "key": one.key,
        "cause": one.fingerprint,
        "opens": "" if one.opens else "no incident; it only adds to one that is open",
        "left out": f"{one.cut} characters, {one.attachments} attachments" if one.cut or one.attachments else "",
    }
    lines = [f"{stored.report.id}  {one.title}", *(f"{name:>10}  {what}" for name, what in facts.items() if what)]
    return Text(clean("\n".join(lines)) + "\n\n" + clean(one.text))


def counts_tables(counts: Sequence[ReportCount], storms: Sequence[ReportStorm], now: float) -> RenderableType:
    """Show how many reports came by each channel, and what is being folded now."""
    table = new_table("channel", "state", "reports", "newest", right=("reports",))
    fill(
        table,
        ((one.channel.value, one.state.value, quantity(one.count), moment(one.newest_at, None)) for one in counts),
    )
    if not storms:
        return table
    held = new_table("storm", "by", "from", "folded", "told in", "of", right=("folded",), wide="of")
    fill(
        held,
        (
            (
                one.summary_id,
                one.channel.value,
                one.source,
                quantity(one.count),
                span(max(one.ends_at - now, 0.0)),
                one.title if one.is_one_cause else f"many causes, such as: {one.title}",
            )
            for one in storms
        ),
    )
    return Group(table, Text(""), held)
