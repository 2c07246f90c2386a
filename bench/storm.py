"""A storm: many reports of one cause, through a whole btimd: python -m bench.storm [--reports 10000] [--seconds 60].

Other systems post CloudEvents to POST /events, each with an id of its own, all about one thing. Counted are the reports
that were kept, the incidents they became, and what a target (a webhook) was told of them. The exit status is 1 where
a report is missing, there is more than one incident, or the target was told more often than once per digest interval.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from aiohttp import ClientSession, web

from btimd.daemon.app import App
from btimd.model.report import ReportFilter
from tests.daemon.small import listener, running, services_text, settings_text, write_small

SENDERS = 20
DIGEST_SECONDS = 300.0
SECRET = "a secret of more than twenty-four octets"  # noqa: S105  of a bench


def settings(port: int) -> str:
    """Return btimd.toml: one target, and a class that lets events open incidents."""
    return settings_text() + (
        f'[itsm.webhook.desk]\nurl = "http://127.0.0.1:{port}/"\nsecret_file = "secret"\nper_second = 1000\n'
        '[itsm.intake.class.storms]\nchannels = ["webhook"]\nopens = true\n'
    )


async def post(app: App, token: str, options: argparse.Namespace) -> list[float]:
    """Send all reports, evenly over the time; return how long each waited for its answer."""
    host, port = app.wired.api.http_address
    waits: list[float] = []
    began = time.perf_counter()

    async def send(sender: int, session: ClientSession) -> None:
        for number in range(sender, options.reports, SENDERS):
            at = began + options.seconds * number / options.reports
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            event = {
                "specversion": "1.0", "id": str(number), "source": "/mon", "type": "disk.full",
                "data": {"status": "firing", "host": "db1", "text": f"disk is {number} % full", "severity": "critical"},
            }  # fmt: skip
            asked = time.perf_counter()
            async with session.post(f"http://{host}:{port}/events", json=event) as answer:
                assert answer.status == 200, await answer.text()
            waits.append(time.perf_counter() - asked)

    async with ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        await asyncio.gather(*(send(sender, session) for sender in range(SENDERS)))
    return sorted(waits)


async def main(options: argparse.Namespace) -> int:
    """Run and tell."""
    told: Counter[str] = Counter()

    async def take(request: web.Request) -> web.Response:
        event = await request.json()
        if event["data"]["incident"]["cause"] != "db1":
            return web.Response(status=204)
        told[event["type"].split(".")[3]] += 1
        return web.Response(status=204)

    target = web.Application()
    target.router.add_post("/", take)
    runner = web.AppRunner(target, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with tempfile.TemporaryDirectory(prefix="btimd-storm-") as name:
        folder = Path(name)
        (folder / "secret").touch(mode=0o600)
        (folder / "secret").write_text(SECRET)
        async with listener() as port:
            text = settings(runner.addresses[0][1]).replace('"secret"', f'"{folder / "secret"}"')
            write_small(folder, settings=text, services=services_text(port))
            async with running(folder) as app:
                token = (folder / "state" / "token").read_text().strip()
                used, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
                waits = await post(app, token, options)
                took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
                cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
                await asyncio.sleep(options.after)
                found = [
                    one
                    for one in await app.wired.incidents.incidents(only_open=False, business=None, limit=99)
                    if not one.verdict_id
                ]
                counts = await app.wired.intake.counts()
                kept = sum(one.count for one in counts)
                summaries = len(await app.wired.intake.reports(ReportFilter(folded_into=""), 999))
                stood_for = app.wired.metrics.value("btimd_intake_stood_for_total")
    await runner.cleanup()
    most = 2 + int((took + options.after) / DIGEST_SECONDS)
    print(
        f"{options.reports} reports of one cause in {took:.1f} s ({options.reports / took:,.0f}/s, "
        f"{options.reports / cpu:,.0f} per CPU second with their senders); answer p50 "
        f"{waits[len(waits) // 2] * 1e3:.0f} ms, p99 {waits[len(waits) * 99 // 100] * 1e3:.0f} ms\n"
        f"kept {kept} rows, of them {summaries} handed on or summaries; stood for {stood_for:.0f}; "
        f"incidents {len(found)}, counting {[one.report_count for one in found]}; "
        f"told to the target {sum(told.values())}: {dict(told)}"
    )
    return 0 if kept >= options.reports and len(found) == 1 and sum(told.values()) <= most else 1


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--after", type=float, default=65.0, help="how long to wait for the summary")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(parse())))
