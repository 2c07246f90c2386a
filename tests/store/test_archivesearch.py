"""A search finds what looking at every record one by one finds, and says what it could not look at."""

import asyncio
import threading
import time
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from btimd.model.archive import GROUPS, ArchiveBusyError, FlowSearch, FoundGroup, SearchResult, TimeRange
from btimd.store.archivefiles import ArchiveFolder
from btimd.store.archivesearch import ArchiveSearch, SearchThreads
from tests.store.archives import Filled
from tests.store.records import EXPORTERS, HOUR, RULES, answer, record

AN_HOUR = 3_600_000


def search(
    path: Path, *, order: str = "octets", clients: bool = False, timeout: float = 30.0, **given: Any
) -> SearchResult:
    wanted = FlowSearch(**{"from_milliseconds": HOUR, "to_milliseconds": HOUR + AN_HOUR, **given})
    found = ArchiveSearch(
        ArchiveFolder(path), wanted, timeout_seconds=timeout, monotonic=time.monotonic, memory_octets=256 << 20
    )
    return found.run(order=order, clients=clients)


def test_a_record_is_found_with_all_that_it_says(tmp_path: Path) -> None:
    Filled(tmp_path).part(answer(record(rule=1, place=1, exporter=1, rate=10, duplicate=True)))
    (found,) = search(tmp_path, duplicates=True).flows
    assert (found.client, found.client_port, found.server, found.server_port) == ("10.1.0.5", 40000, "10.2.0.10", 443)
    assert (found.octets, found.packets, found.sampling_rate, found.from_client) == (1000, 20, 10, False)
    assert (found.exporter, found.rule, found.businesses) == ("10.9.9.9", "shared-db", ("erp", "hr"))
    assert (found.region, found.segment, found.duplicate, found.protocol) == ("Beijing", "branch", True, 6)
    assert (found.start_milliseconds, found.end_milliseconds) == (HOUR, HOUR + 1000)
    assert search(tmp_path).flows == ()


def test_a_record_counts_while_it_is_under_way(tmp_path: Path) -> None:
    Filled(tmp_path).part(record(start=HOUR - 60_000, end=HOUR + 60_000))
    assert len(search(tmp_path, from_milliseconds=HOUR + 60_000, to_milliseconds=HOUR + 60_001).flows) == 1
    assert len(search(tmp_path, from_milliseconds=HOUR + 60_001, to_milliseconds=HOUR + 60_002).flows) == 0


def test_groups_add_up_and_shared_records_stand_with_each_owner(tmp_path: Path) -> None:
    request = record(rule=1, destination="10.2.0.20", destination_port=1521)
    Filled(tmp_path).part(request, answer(request, octets=900)).part(record(start=HOUR + AN_HOUR))
    found = search(tmp_path, group_by=("business", "client"), to_milliseconds=HOUR + 2 * AN_HOUR, clients=True)
    shared = {"octets_to_server": 100, "octets_to_client": 900, "packets": 4, "flows": 2, "clients": 1}
    assert found.groups == (
        FoundGroup(("erp", "10.1.0.5"), 200, 900, 6, 3, HOUR, HOUR + 1000, 1),
        FoundGroup(("hr", "10.1.0.5"), **shared, first_milliseconds=HOUR, last_milliseconds=HOUR + 1000),
    )
    assert found.total == FoundGroup((), 200, 900, 6, 3, HOUR, HOUR + 1000, 1)


def test_what_the_archive_has_not_got_is_said(tmp_path: Path) -> None:
    Filled(tmp_path).part(record(), record(start=HOUR + 2 * AN_HOUR)).merged()
    (tmp_path / "2023-11-14" / "23").mkdir()
    broken = tmp_path / "2023-11-14" / "23" / "part-00000009.parquet"
    broken.write_bytes(b"rubbish")
    coverage = search(
        tmp_path, from_milliseconds=HOUR - AN_HOUR, to_milliseconds=HOUR + 4 * AN_HOUR, sort="octets"
    ).coverage
    assert coverage.missing == (
        TimeRange(HOUR - AN_HOUR, HOUR),
        TimeRange(HOUR + AN_HOUR, HOUR + 2 * AN_HOUR),
        TimeRange(HOUR + 3 * AN_HOUR, HOUR + 4 * AN_HOUR),
    )
    assert (coverage.hours, coverage.files, coverage.scanned, coverage.stopped) == (2, 2, 2, "")
    assert [text.startswith(str(broken)) for text in coverage.bad_files] == [True]


def test_the_newest_are_found_without_reading_older_hours(tmp_path: Path) -> None:
    Filled(tmp_path).part(*[record(start=HOUR + number) for number in range(3)], record(start=HOUR - AN_HOUR))
    found = search(tmp_path, from_milliseconds=HOUR - AN_HOUR, limit=2)
    assert [flow.start_milliseconds for flow in found.flows] == [HOUR + 2, HOUR + 1]
    assert (found.more, found.coverage.stopped, found.coverage.missing) == (True, "enough was found", ())


def test_a_search_ends_when_its_time_is_up_and_says_what_it_did_not_read(tmp_path: Path) -> None:
    Filled(tmp_path).part(record())
    found = search(tmp_path, timeout=0.0, group_by=("client",))
    assert found.groups == ()
    assert found.coverage.stopped == "the time limit of 0 s was reached"
    assert found.coverage.missing == (TimeRange(HOUR, HOUR + AN_HOUR),)


RECORDS = st.lists(
    st.builds(
        record,
        start=st.integers(HOUR - AN_HOUR, HOUR + 2 * AN_HOUR),
        source=st.sampled_from(["10.1.0.5", "10.1.0.6", "10.2.0.10", "2001:db8::1", "0.0.0.0"]),
        destination=st.sampled_from(["10.2.0.10", "10.2.0.20", "2001:db8::2", "255.255.255.255"]),
        destination_port=st.sampled_from([443, 1521, 0, 65535]),
        protocol=st.sampled_from([6, 17, 1]),
        octets=st.integers(0, 2**40),
        rate=st.sampled_from([1, 100]),
        exporter=st.integers(0, 2),
        ingress=st.integers(0, 2),
        egress=st.sampled_from([2, 2**32 - 1]),
        rule=st.integers(-1, 1),
        place=st.integers(-1, 1),
        from_client=st.booleans(),
        duplicate=st.booleans(),
    ).map(lambda one: one | {"end": one["start"] + 1000}),
    min_size=1,
    max_size=25,
)
ADDRESSES = st.sampled_from(
    ["", "10.1.0.5", "10.2.0.10", "10.0.0.0/8", "2001:db8::/64", "::/0", "2001:db8::/127", "0.0.0.0/0"]
)
SEARCHES = st.fixed_dictionaries(
    {
        "from_milliseconds": st.integers(HOUR - AN_HOUR, HOUR + AN_HOUR),
        "client": ADDRESSES,
        "server": ADDRESSES,
        "address": ADDRESSES,
        "peer": ADDRESSES,
        "port": st.sampled_from([None, 443, 0]),
        "protocol": st.sampled_from([None, None, 6]),
        "business": st.sampled_from([None, None, "erp", "hr", ""]),
        "region": st.sampled_from([None, None, "Shanghai", ""]),
        "exporter": st.sampled_from([None, None, "core-1", "exporter 2"]),
        "interface": st.sampled_from([None, None, 1, 2**32 - 1]),
        "min_octets": st.sampled_from([0, 0, 1000]),
        "duplicates": st.booleans(),
        "sort": st.sampled_from(["time", "octets"]),
    }
).map(
    lambda one: (
        one
        | {
            "to_milliseconds": int(str(one["from_milliseconds"])) + AN_HOUR,
            "peer": one["peer"] if one["address"] else "",
        }
    )
)


def fits(one: dict[str, Any], wanted: dict[str, Any]) -> bool:
    client, server = (one["source"], one["destination"]) if one["from_client"] else (one["destination"], one["source"])
    port = one["destination_port"] if one["from_client"] else one["source_port"]
    businesses = RULES[one["rule"]].businesses if one["rule"] >= 0 else ()
    region = ("Shanghai", "Beijing", "")[one["place"]]

    def within(address: str, text: str) -> bool:
        network = ip_network(text) if text else None
        if network is None or text == "::/0":
            return True
        return ip_address(address) in network

    a, p = wanted["address"], wanted["peer"]
    return (
        one["start"] < wanted["to_milliseconds"] and one["end"] >= wanted["from_milliseconds"]
        and within(client, wanted["client"]) and within(server, wanted["server"])
        and ((within(client, a) and within(server, p)) or (within(server, a) and within(client, p)))
        and wanted["port"] in {None, port} and wanted["protocol"] in {None, one["protocol"]}
        and (wanted["business"] is None or wanted["business"] in (businesses or ("",)))
        and wanted["region"] in {None, region}
        and wanted["exporter"] in {None, EXPORTERS.get(one["exporter"], f"exporter {one['exporter']}")}
        and (wanted["interface"] is None or wanted["interface"] in {one["ingress"], one["egress"]})
        and one["octets"] * one["rate"] >= wanted["min_octets"]
        and (wanted["duplicates"] or not one["duplicate"])
    )  # fmt: skip


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(RECORDS, RECORDS, st.lists(SEARCHES, min_size=2, max_size=2), st.booleans())
@pytest.mark.slow
def test_a_search_finds_what_looking_at_every_record_finds(
    first: Sequence[dict[str, Any]], second: Sequence[dict[str, Any]], searches: Sequence[dict[str, Any]], merge: bool
) -> None:
    with TemporaryDirectory() as name:
        filled = Filled(Path(name)).part(*first)
        Filled(Path(name)).part(*second)
        if merge:
            filled.merged()
        for wanted in searches:
            expected = [one for one in (*first, *second) if fits(one, wanted)]
            by_octets = wanted["sort"] == "octets"
            found = search(Path(name), **wanted)
            assert sorted((flow.start_milliseconds, flow.octets) for flow in found.flows) == sorted(
                (one["start"], one["octets"] * one["rate"]) for one in expected
            )
            order = [flow.octets if by_octets else flow.start_milliseconds for flow in found.flows]
            assert order == sorted(order, reverse=True)
            groups = search(Path(name), **wanted | {"sort": "time"}, group_by=("client", "hour"))
            assert groups.total is not None
            assert (groups.total.flows, groups.total.octets_to_server + groups.total.octets_to_client) == (
                len(expected), sum(one["octets"] * one["rate"] for one in expected),
            )  # fmt: skip
            assert sum(group.flows for group in groups.groups) == len(expected)


GROUPED = st.lists(st.sampled_from(GROUPS), min_size=1, max_size=3, unique=True).map(tuple)
FILTERS = {
    "port": st.sampled_from([None, None, 443]),
    "protocol": st.sampled_from([None, None, 6]),
    "business": st.sampled_from([None, None, "erp", ""]),
    "region": st.sampled_from([None, None, "Shanghai"]),
    "exporter": st.sampled_from([None, None, "core-1"]),
    "client": st.sampled_from(["", "", "10.0.0.0/8"]),
    "server": st.sampled_from(["", "", "10.2.0.10"]),
    "duplicates": st.booleans(),
    "from_milliseconds": st.sampled_from([HOUR - 2 * AN_HOUR, HOUR + 1000]),
}


@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])
@given(RECORDS, st.lists(st.tuples(GROUPED, st.fixed_dictionaries(FILTERS), st.booleans()), min_size=4, max_size=4))
@pytest.mark.slow
def test_sums_over_hours_say_what_their_records_say(
    records: Sequence[dict[str, Any]], searches: Sequence[tuple[tuple[str, ...], dict[str, Any], bool]]
) -> None:
    with TemporaryDirectory() as name:
        path = Path(name)
        filled = Filled(path).part(*records)

        def found() -> list[tuple[object, ...]]:
            results = [
                search(path, **wanted, to_milliseconds=HOUR + 4 * AN_HOUR, group_by=group_by, clients=clients)
                for group_by, wanted, clients in searches
            ]
            return [(one.groups, one.total, one.coverage.scanned) for one in results]

        of_parts = found()
        filled.merged()
        of_sums = found()
        for sums in path.rglob("sums-*"):
            sums.unlink()
        assert of_parts == of_sums == found()


def test_sums_are_read_where_they_say_enough_and_the_records_where_they_do_not(tmp_path: Path) -> None:
    filled = Filled(tmp_path).part(record(), record(source="10.1.0.6", destination_port=1521)).merged()
    hour = filled.folder.files(HOUR)[0]
    hour.path.rename(tmp_path / "away")
    hour.path.write_bytes(
        (tmp_path / "away").read_bytes().replace(b"\x28\xb5\x2f\xfd", b"\0\0\0\0")
    )  # no zstd any more
    known: dict[str, Any] = {"group_by": ("server", "port"), "to_milliseconds": HOUR + AN_HOUR}
    assert [(group.keys, group.flows) for group in search(tmp_path, **known).groups] == [
        (("10.2.0.10", "443/tcp"), 1),
        (("10.2.0.10", "1521/tcp"), 1),
    ]
    for other in ({"address": "10.1.0.5"}, {"interface": 1}, {"min_octets": 1}):
        assert search(tmp_path, **known | other).coverage.bad_files != ()


def test_sums_that_cannot_be_read_are_named_and_the_records_read_instead(tmp_path: Path) -> None:
    Filled(tmp_path).part(record()).merged()
    (sums,) = tmp_path.rglob("sums-*.servers.parquet")
    sums.write_bytes(b"rubbish")
    found = search(tmp_path, group_by=("server",))
    assert [(group.keys, group.flows) for group in found.groups] == [(("10.2.0.10",), 1)]
    assert [text.partition(":")[0] for text in found.coverage.bad_files] == [str(sums)]


def test_a_search_that_is_stopped_names_the_hours_that_it_did_not_read(tmp_path: Path) -> None:
    Filled(tmp_path).part(*[record(start=HOUR - number * AN_HOUR) for number in range(5)])
    moments = iter([0.0, 1.0, 2.0, *[9.0] * 10])
    wanted = FlowSearch(HOUR - 4 * AN_HOUR, HOUR + AN_HOUR, group_by=("hour",))
    found = ArchiveSearch(
        ArchiveFolder(tmp_path), wanted, timeout_seconds=5.0, monotonic=lambda: next(moments), memory_octets=256 << 20
    ).run()
    assert sorted(group.keys[0] for group in found.groups) == [str(HOUR - AN_HOUR), str(HOUR)]
    assert (found.coverage.hours, found.coverage.stopped) == (2, "the time limit of 5 s was reached")
    assert found.coverage.missing == (TimeRange(HOUR - 4 * AN_HOUR, HOUR - AN_HOUR),)


async def test_searches_wait_for_their_turn_and_too_many_are_refused() -> None:
    threads, go_on = SearchThreads(), threading.Event()
    running = [asyncio.create_task(threads.run(go_on.wait)) for _ in range(8)]
    await asyncio.sleep(0)
    with pytest.raises(ArchiveBusyError, match="8 searches of the archive are running or waiting"):
        await threads.run(lambda: None)
    go_on.set()
    assert await asyncio.gather(*running) == [True] * 8
    assert await threads.run(lambda: 1) == 1
    threads.close()
