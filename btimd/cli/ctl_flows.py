"""Commands of btimctl: records of the archive, rankings."""

import argparse
import sys
from datetime import datetime
from typing import Final

from btimd.api.calls_archive import archive_status, rank, search_flows
from btimd.cli.common import seconds_of
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_flowtables import flows_table, groups_table, notes, ranking_table, span_of, status_text
from btimd.model.archive import GROUPS, MEASURES, SORTS, SUBJECTS, FlowSearch, RankingQuery

_MILLIS: Final = 1000
_PROTOCOLS: Final = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "sctp": 132}
_HOUR: Final = 3600.0
_DAY: Final = 86_400.0
_ENDS: Final = ("client", "server", "address", "peer")
_FLAGS: Final = ("port", "protocol", "business", "region", "exporter", "interface")


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    flows = add("flows", _flows, "who talked to whom: search the archive of flow records")
    actions = flows.add_subparsers(dest="action", required=True, metavar="ACTION")
    search = actions.add_parser("search", help="single records", description="Single records, the newest first.")
    _filters(search)
    search.add_argument("--sort", choices=SORTS, default="time", help="the newest or the largest first")
    top = actions.add_parser("top", help="records added up", description="Records added up, the largest first.")
    top.add_argument("by", nargs="+", choices=GROUPS, metavar="BY", help=f"one or more of {', '.join(GROUPS)}")
    _filters(top)
    actions.add_parser("status", help="what the archive holds", description="What the archive holds.")

    ranking = add("top", _top, "the largest businesses, regions, users, servers, links, ports, by any measure")
    ranking.add_argument("subject", choices=SUBJECTS, metavar="WHAT", help=f"one of {', '.join(SUBJECTS)}")
    ranking.add_argument("--by", choices=MEASURES, default="octets", metavar="MEASURE", help=", ".join(MEASURES))
    ranking.add_argument("--business", metavar="ID", help="only its traffic")
    ranking.add_argument("--limit", type=int, default=10, metavar="N")
    _times(ranking, _DAY)


def _filters(made: argparse.ArgumentParser) -> None:
    for side, text in (
        ("client", "the client"),
        ("server", "the server"),
        ("address", "either end"),
        ("peer", "the other end of --address"),
    ):
        # --server of btimctl itself says where btimd is
        made.add_argument(
            f"--{side}", dest=f"of_{side}", default="", metavar="ADDRESS", help=f"{text}: an address or a prefix"
        )
    made.add_argument("--port", type=int, metavar="PORT", help="of the server")
    made.add_argument("--protocol", type=_protocol, metavar="NAME", help="tcp, udp, icmp, or a number")
    made.add_argument("--business", metavar="ID", help='"" for traffic that belongs to none')
    made.add_argument("--region", metavar="NAME", help="of the client")
    made.add_argument("--exporter", metavar="NAME", help="name or address of who reported it")
    made.add_argument("--interface", type=int, metavar="INDEX", help="SNMP index, in or out")
    made.add_argument("--min-octets", type=int, default=0, metavar="N", help="only records of at least so many")
    made.add_argument("--duplicates", action="store_true", help="also what another exporter reported first")
    made.add_argument("--limit", type=int, default=100, metavar="N")
    _times(made, _HOUR)


def _times(made: argparse.ArgumentParser, since: float) -> None:
    made.add_argument("--since", type=seconds_of, default=since, metavar="DURATION", help="from so long ago, as 24h")
    made.add_argument("--from", dest="begin", type=_moment, metavar="TIME", help="from a time, as 2026-11-21T10:03")
    made.add_argument("--to", dest="end", type=_moment, metavar="TIME", help="up to a time; default: now")


def _range(asking: Asking, args: argparse.Namespace) -> tuple[int, int]:
    end = round((asking.clock.wall() if args.end is None else args.end) * _MILLIS)
    begin = end - round(args.since * _MILLIS) if args.begin is None else round(args.begin * _MILLIS)
    return max(begin, 0), end


def _flows(asking: Asking, args: argparse.Namespace) -> int:
    if args.action == "status":
        status = archive_status(asking.client)
        asking.out.write([status], lambda: status_text(status))
        return 0
    begin, end = _range(asking, args)
    group_by = tuple(dict.fromkeys(args.by)) if args.action == "top" else ()
    found = search_flows(
        asking.client,
        FlowSearch(
            begin,
            end,
            **{name: getattr(args, f"of_{name}") for name in _ENDS},
            **{name: getattr(args, name) for name in _FLAGS},
            min_octets=args.min_octets,
            duplicates=args.duplicates,
            sort="time" if group_by else args.sort,
            group_by=group_by,
            limit=args.limit,
        ),
    )
    if group_by:
        asking.out.write(found.groups, lambda: groups_table(found, group_by))
    else:
        asking.out.write(found.flows, lambda: flows_table(found.flows))
    nothing = [] if found.flows or found.groups else ["nothing was found"]
    _say([*nothing, *notes(found.coverage, more=found.more)])
    return 0


def _top(asking: Asking, args: argparse.Namespace) -> int:
    begin, end = _range(asking, args)
    ranking = rank(asking.client, RankingQuery(args.subject, args.by, begin, end, args.business, args.limit))
    asking.out.write([ranking], lambda: ranking_table(ranking))
    _say([span_of(ranking), *ranking.remarks, *(notes(ranking.coverage, more=False) if ranking.coverage else ())])
    return 0


def _say(lines: list[str]) -> None:
    """Write what is not the answer itself where it does not disturb programs."""
    for line in lines:
        sys.stderr.write(f"btimctl: {line}\n")


def _moment(text: str) -> float:
    """Return seconds since 1970 of a time in ISO 8601; local time where it names no zone."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write 2026-11-21T10:03, or 2026-11-21T10:03+08:00"
        ) from None


def _protocol(text: str) -> int:
    if text.lower() in _PROTOCOLS:
        return _PROTOCOLS[text.lower()]
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no protocol; write one of {', '.join(_PROTOCOLS)} or a number")
