"""btimctl: asks a running btimd, and works on its incidents.

Exit status: 0 done; 1 refused, not reachable, or the probe was not good; 2 wrong usage.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from btimd.api.client import DEFAULT_SERVER, CallFailedError, Client, Page, find_token, new_token
from btimd.api.tokens import ROLES
from btimd.cli import (
    ctl_baselines,
    ctl_budget,
    ctl_delivery,
    ctl_diagnosis,
    ctl_discovery,
    ctl_duty,
    ctl_events,
    ctl_figures,
    ctl_flows,
    ctl_impact,
    ctl_incidents,
    ctl_knowledge,
    ctl_levels,
    ctl_maintenance,
    ctl_notices,
    ctl_persons,
    ctl_plan,
    ctl_problem,
    ctl_reports,
    ctl_survey,
    ctl_topology,
    ctl_users,
    ctl_views,
)
from btimd.cli.common import seconds_of
from btimd.cli.ctl_areas import Asking, Run
from btimd.cli.ctl_exporters import exporter_details, exporters_table, refused_table
from btimd.cli.ctl_incidents import with_action
from btimd.cli.ctl_output import Output
from btimd.cli.ctl_quality import quality_tables
from btimd.cli.ctl_spans import spans_table
from btimd.cli.ctl_tables import Tables
from btimd.cli.ctl_text import clean
from btimd.model.points import SeriesQuery
from btimd.model.probe import Health
from btimd.runtime.clock import Clock, SystemClock, wall_milliseconds

_PROTOCOLS: Final = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "sctp": 132}
_MILLIS: Final = 1000
_INTERRUPTED: Final = 130
_AREAS: Final = (
    ctl_incidents,
    ctl_duty,
    ctl_users,
    ctl_persons,
    ctl_notices,
    ctl_plan,
    ctl_topology,
    ctl_baselines,
    ctl_flows,
    ctl_discovery,
    ctl_events,
    ctl_views,
    ctl_impact,
    ctl_budget,
    ctl_diagnosis,
    ctl_delivery,
    ctl_reports,
    ctl_knowledge,
    ctl_problem,
    ctl_survey,
    ctl_figures,
    ctl_levels,
    ctl_maintenance,
)


class Commands:
    """One method per command; each returns the exit status."""

    def __init__(self, client: Client, output: Output, clock: Clock) -> None:
        self.asking = Asking(client, output, clock)
        self._client = client
        self._out = output
        self._clock = clock
        self._tables = Tables()

    def status(self, _args: argparse.Namespace) -> int:
        """Say which services are served."""
        services = self._client.serving()
        lines = [{"service": name or "btimd", "serving": good} for name, good in services.items()]
        self._out.write(lines, lambda: self._tables.serving(services))
        return 0 if all(services.values()) else 1

    def windows(self, args: argparse.Namespace) -> int:
        """Show traffic."""
        interval = round(args.interval * _MILLIS) if args.interval else 0
        if args.watch:
            updates = self._client.watch_windows(interval_milliseconds=interval, business=args.business)
            self._out.follow(updates, self._tables.windows)
            return 0
        page = self._client.windows(interval_milliseconds=interval, business=args.business, limit=args.limit)
        self._out.page(page, self._tables.windows, "no traffic yet")
        return 0

    def quality(self, args: argparse.Namespace) -> int:
        """Show how well connections do."""
        interval = round(args.interval * _MILLIS) if args.interval else 0
        by = tuple(dict.fromkeys(args.by)) or (("server",) if args.business else ())
        group_by = ("business", *by)
        shown = by if args.business else group_by
        if args.watch:
            updates = self._client.watch_quality(
                interval_milliseconds=interval, business=args.business, group_by=group_by
            )
            self._out.follow(updates, lambda rows: quality_tables(rows, shown))
            return 0
        page = self._client.quality(
            interval_milliseconds=interval, business=args.business, group_by=group_by, limit=args.limit
        )
        latest = max((row.interval_start_milliseconds for row in page.items), default=0)
        rows = [row for row in page.items if row.interval_start_milliseconds == latest or args.limit]
        nothing = "no connections were measured yet; only packets that btimd captures itself tell of them"
        self._out.page(
            Page(rows, page.more and len(rows) == len(page.items)), lambda found: quality_tables(found, shown), nothing
        )
        return 0

    def exporters(self, args: argparse.Namespace) -> int:
        """Show who exports flow records, one of them in detail, or who tried without being allowed to."""
        if args.refused:
            self._out.page(self._client.refused_exporters(), refused_table, "nobody was refused")
            return 0
        page = self._client.exporters()
        if args.exporter is None:
            now = self._clock.wall()
            nobody = "no exporter has sent anything yet"
            self._out.page(page, lambda rows: exporters_table(rows, now), nobody)
            return 0
        found = [one for one in page.items if args.exporter in {one.address, one.name}]
        if not found:
            raise CallFailedError(f"nobody exports as {args.exporter}; btimctl exporters lists who does")
        self._out.write(found, lambda: exporter_details(found[0]))
        return 0

    def spans(self, _args: argparse.Namespace) -> int:
        """Show the interfaces that packets are captured on."""
        now = self._clock.wall()
        nothing = "nothing is captured: no [capture.span.NAME] in btimd.toml"
        self._out.page(self._client.spans(), lambda rows: spans_table(rows, now), nothing)
        return 0

    def explain(self, args: argparse.Namespace) -> int:
        """Say where a flow goes and why."""
        found = self._client.explain(args.address, args.peer, args.port, args.protocol)
        self._out.write([found], lambda: self._tables.explanation(found))
        return 0

    def history(self, args: argparse.Namespace) -> int:
        """Ask the series store."""
        until = wall_milliseconds(self._clock)
        query = SeriesQuery(
            measurement=args.measurement,
            fields=tuple(args.fields),
            from_milliseconds=until - round(args.since * _MILLIS),
            to_milliseconds=until,
            group_by=tuple(args.by),
            where=dict(args.where),
            step_milliseconds=round(args.step * _MILLIS) if args.step else 0,
            fold=args.fold,
        )
        page = self._client.history(query)
        self._out.page(page, lambda rows: self._tables.history(rows, query.group_by, query.fields), "no points there")
        return 0

    def graph(self, _args: argparse.Namespace) -> int:
        """Show what needs what."""
        graph = self._client.graph()
        states = {found.node: found for found in self._client.node_states().items}
        self._out.write(graph.nodes.values(), lambda: self._tables.graph(graph, states))
        return 0

    def nodes(self, args: argparse.Namespace) -> int:
        """Show how nodes stand."""
        if args.watch:
            self._out.follow(self._client.watch_nodes(), self._tables.nodes)
        else:
            self._out.page(self._client.node_states(), self._tables.nodes, "the graph is empty")
        return 0

    def symptoms(self, _args: argparse.Namespace) -> int:
        """Show the open symptoms."""
        self._out.page(self._client.symptoms(), self._tables.symptoms, "no symptoms")
        return 0

    def verdicts(self, args: argparse.Namespace) -> int:
        """Show the latest verdicts."""
        self._out.page(self._client.verdicts(args.limit), self._tables.verdicts, "no verdicts yet")
        return 0

    def diagnoses(self, _args: argparse.Namespace) -> int:
        """Follow diagnoses."""
        self._out.follow(self._client.watch_diagnoses(), self._tables.diagnoses)
        return 0

    def probe(self, args: argparse.Namespace) -> int:
        """Run a check."""
        result = self._client.probe(args.check)
        self._out.write([result], lambda: self._tables.probe(result))
        return 0 if result.health is Health.GOOD else 1


def parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Return what reads the command line."""
    top = argparse.ArgumentParser(prog="btimctl", description="Ask a running btimd, and work on its incidents.")
    top.add_argument("--server", default=environment.get("BTIMD_SERVER", DEFAULT_SERVER), metavar="HOST:PORT")
    token_file = environment.get("BTIMD_TOKEN_FILE")
    top.add_argument("--token-file", type=Path, default=Path(token_file) if token_file else None, metavar="FILE")
    top.add_argument("--tls", action="store_true", help="encrypt, trust the system's certificates")
    top.add_argument("--ca-file", type=Path, metavar="FILE", help="encrypt, trust these certificates (PEM)")
    top.add_argument("--server-name", metavar="NAME", help="the name that the server's certificate must have")
    top.add_argument("--plaintext", action="store_true", help="send the token unencrypted to another machine")
    top.add_argument("--json", action="store_true", help="one JSON object per line")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[Commands, argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        return made

    add("status", Commands.status, "which services are served")
    windows = add("windows", Commands.windows, "what each business carries")
    _watch(windows)
    _limit(windows)
    windows.add_argument("--business", metavar="ID")
    windows.add_argument("--interval", type=seconds_of, metavar="DURATION", help="length of the interval, as 10s or 1m")
    _add_quality(add("quality", Commands.quality, "how well connections do: failures, retransmissions, slow legs"))
    exporters = add("exporters", Commands.exporters, "who sends flow records, and what was lost on the way")
    exporters.add_argument("exporter", nargs="?", metavar="EXPORTER", help="address or name of one, to see all of it")
    exporters.add_argument("--refused", action="store_true", help="who sent without being allowed to")
    add("spans", Commands.spans, "on which interfaces packets are captured, and what was lost there")
    _add_explain(add("explain", Commands.explain, "where a flow belongs, and why"))
    _add_history(add("history", Commands.history, "figures over time"))
    add("graph", Commands.graph, "what needs what, and how it stands")
    _watch(add("nodes", Commands.nodes, "how the nodes stand"))
    add("symptoms", Commands.symptoms, "what users feel now")
    _limit(add("verdicts", Commands.verdicts, "what was found to be the cause"))
    diagnoses = add("diagnoses", Commands.diagnoses, "follow running diagnoses")
    diagnoses.add_argument("watch", nargs="?", choices=["watch"], help="is what it does anyway")
    probe = add("probe", Commands.probe, "run one check now; exit status 1 where not good")
    probe.add_argument("check", metavar="CHECK")

    def add_area(name: str, run: Run, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=lambda held, args: run(held.asking, args))
        return made

    for area in _AREAS:
        area.add_commands(add_area)
    token = add("token", Commands.status, "make a token for a caller; the line for the tokens file, then the token")
    token.add_argument("name", metavar="NAME")
    token.add_argument("--role", choices=tuple(ROLES), default="viewer")
    token.add_argument("--person", default="", metavar="ID", help="whose it is (people.toml), where that is not NAME")
    token.add_argument("--business", action="append", default=[], metavar="ID", help="only this one; repeatable")
    token.add_argument("--region", action="append", default=[], metavar="NAME", help="only this one; repeatable")
    token.add_argument("--desk", action="store_true", help="answers the telephone of the service desk")
    token.set_defaults(run=None)
    return top


def _watch(made: argparse.ArgumentParser) -> None:
    made.add_argument("watch", nargs="?", choices=["watch"], help="show the present state, then the changes")


def _limit(made: argparse.ArgumentParser) -> None:
    made.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")


def _add_quality(made: argparse.ArgumentParser) -> None:
    made.add_argument("business", nargs="?", metavar="BUSINESS", help="only this one, by server")
    made.add_argument(
        "--by", action="append", default=[], choices=["server", "region", "segment"], help="may be repeated"
    )
    made.add_argument("--interval", type=seconds_of, metavar="DURATION", help="length of the interval, as 10s or 1m")
    made.add_argument("--watch", action="store_true", help="show the latest interval, then each as it closes")
    _limit(made)


def _add_explain(made: argparse.ArgumentParser) -> None:
    made.add_argument("address", metavar="ADDR")
    made.add_argument("peer", metavar="PEER")
    made.add_argument("port", type=int, metavar="PORT")
    made.add_argument("protocol", type=_protocol, nargs="?", default=6, metavar="PROTO", help="tcp, udp, ... or number")


def _add_history(made: argparse.ArgumentParser) -> None:
    made.add_argument("measurement", metavar="MEASUREMENT")
    made.add_argument("fields", nargs="+", metavar="FIELD")
    made.add_argument("--since", type=seconds_of, default=3600.0, metavar="DURATION", help="from so long ago until now")
    made.add_argument("--step", type=seconds_of, metavar="DURATION", help="one row for each; default: one row for all")
    made.add_argument("--by", action="append", default=[], metavar="TAG", help="group by a tag; may be repeated")
    made.add_argument("--where", action="append", default=[], type=_pair, metavar="TAG=VALUE", help="may be repeated")
    made.add_argument("--fold", choices=["sum", "mean", "max", "last"], default="sum")


def _protocol(text: str) -> int:
    if text.lower() in _PROTOCOLS:
        return _PROTOCOLS[text.lower()]
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no protocol; write one of {', '.join(_PROTOCOLS)} or a number")


def _pair(text: str) -> tuple[str, str]:
    tag, separator, value = text.partition("=")
    if not separator or not tag:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form TAG=VALUE")
    return tag, value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    args = parser(os.environ).parse_args(with_action(sys.argv[1:] if arguments is None else arguments))
    if args.run is None:
        entry, secret = new_token(
            args.name,
            args.role,
            person=args.person,
            businesses=args.business,
            regions=args.region,
            desk=args.desk,
        )
        sys.stdout.write(
            f"{entry}\n# the token itself, for the caller's --token-file; it is shown this once:\n{secret}\n"
        )
        return 0
    try:
        with Client(
            args.server,
            token=find_token(args.token_file, args.server),
            tls=args.tls,
            ca_file=args.ca_file,
            server_name=args.server_name,
            plaintext=args.plaintext,
        ) as client:
            status: int = args.run(Commands(client, Output(as_json=args.json), SystemClock()), args)
            return status
    except CallFailedError as error:
        sys.stderr.write(f"btimctl: {clean(str(error))}\n")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # whoever read us has had enough; nothing more may be written, not even by the interpreter's last flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
