"""Files that grow, are renamed, rewritten or gone, while they are read."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from btimd.flows.personfiles import AddressList, Detail, GrowingFile, Leases, Macs, UnreadableError, open_regular
from btimd.flows.persons import Accounted, Bound, Event, Replaced, Unbound
from btimd.flows.pseudonyms import as_it_is
from tests.flows.test_radiusdetail import RECORD

HEAD = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n"


def kea(address: str, name: str, state: int = 0, mac: str = "02:00:00:00:00:11") -> str:
    return f"{address},{mac},,3600,1795327200,1,0,0,{name},{state},\n"


def isc(address: str, name: str) -> str:
    return f'lease {address} {{\n  starts never;\n  ends never;\n  binding state active;\n  client-hostname "{name}";\n}}\n'


def told(events: Sequence[Event]) -> list[object]:
    found: list[object] = []
    for event in events:
        match event:
            case Replaced(_, bindings):
                found.append({str(one.prefix).removesuffix("/32"): one.person for one in bindings})
            case Bound(one):
                found.append((str(one.prefix).removesuffix("/32"), one.person))
            case Unbound(_, prefix):
                found.append((str(prefix).removesuffix("/32"), None))
            case Accounted(_, news):
                found.append((news.session, news.person, news.status.name))
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "leases"


@pytest.fixture
def leases(path: Path) -> Iterator[Leases]:
    source = Leases("dhcp.x", "kea", path, person_from=("hostname",), macs=None, naming=as_it_is)
    yield source
    source.close()


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_a_lease_file_is_read_whole_then_as_it_grows_and_never_half_a_line(path: Path, leases: Leases) -> None:
    path.write_text(HEAD + kea("10.0.0.1", "anna") + kea("10.0.0.2", "bert") + kea("10.0.0.2", "bert", 2))
    assert told(leases.poll()) == [{"10.0.0.1": "anna"}]
    line = kea("10.0.0.3", "cleo")
    append(path, line[:20])
    assert told(leases.poll()) == []
    append(path, line[20:] + kea("10.0.0.1", "anna", 2))
    assert told(leases.poll()) == [("10.0.0.3", "cleo"), ("10.0.0.1", None)]
    assert (leases.records, leases.refused, leases.problem) == (5, 0, "")
    assert leases.changed_at is not None


def test_a_file_in_anothers_place_replaces_what_was_known(path: Path, leases: Leases) -> None:
    path.write_text(HEAD + kea("10.0.0.1", "anna"))
    leases.poll()
    (path.parent / "new").write_text(HEAD + kea("10.0.0.2", "bert"))
    (path.parent / "new").rename(path)
    assert told(leases.poll()) == [{"10.0.0.2": "bert"}]


@pytest.mark.parametrize("more", ["", kea("10.0.0.9", "x") * 10])
def test_a_file_that_is_rewritten_in_its_place_is_read_anew(path: Path, leases: Leases, more: str) -> None:
    path.write_text(HEAD + kea("10.0.0.1", "anna") + kea("10.0.0.3", "anna"))
    leases.poll()
    path.write_text(HEAD + kea("10.0.0.2", "bert") + more)
    assert told(leases.poll()) == [{"10.0.0.2": "bert", **({"10.0.0.9": "x"} if more else {})}]


def test_the_files_of_keas_clean_up_are_read_with_it(path: Path, leases: Leases) -> None:
    second, first, completed = (path.with_name(path.name + end) for end in (".2", ".1", ".completed"))
    path.write_text(HEAD + kea("10.0.0.1", "anna"))
    leases.poll()
    second.write_text(HEAD + kea("10.0.0.7", "old") + kea("10.0.0.1", "older"))
    path.rename(first)
    path.write_text(HEAD + kea("10.0.0.2", "bert"))
    assert told(leases.poll()) == [{"10.0.0.7": "old", "10.0.0.1": "anna", "10.0.0.2": "bert"}]
    completed.write_text(HEAD + kea("10.0.0.1", "anna"))
    assert told(leases.poll()) == [{"10.0.0.1": "anna", "10.0.0.2": "bert"}]
    completed.rename(second)
    first.unlink()
    assert told(leases.poll()) == [{"10.0.0.1": "anna", "10.0.0.2": "bert"}]


def test_a_large_file_is_read_in_parts_and_told_when_its_end_is_reached(path: Path) -> None:
    path.write_text("".join(isc(f"10.0.{at >> 8}.{at & 255}", f"n{at}") for at in range(1000)))
    source = Leases("d", "isc", path, person_from=("hostname",), macs=None, naming=as_it_is, most_octets=40_000)
    rounds = 0
    while not (events := source.poll()):
        rounds += 1
        assert source.pending
    assert (rounds, len(told(events)), len(events[0].bindings)) == (2, 1, 1000)  # type: ignore[union-attr]  # Replaced
    source.close()


def test_more_leases_than_may_be_kept_are_refused_and_counted(path: Path) -> None:
    path.write_text("".join(isc(f"10.0.0.{at}", "n") for at in range(5)))
    source = Leases("d", "isc", path, person_from=("hostname",), macs=None, naming=as_it_is, most_bindings=3)
    assert [len(event.bindings) for event in source.poll() if isinstance(event, Replaced)] == [3]
    assert (source.refused, source.last_error) == (2, "leases: more than 3 leases in use; raise max_bindings")
    source.close()


def test_a_list_of_macs_names_clients_before_their_own_names_do(path: Path, tmp_path: Path) -> None:
    macs = Macs("macs", tmp_path / "macs.csv", lambda name: f"p-{name}")
    source = Leases(
        "d", "kea", path, person_from=("mac-list", "hostname", "mac"), macs=macs, naming=lambda name: f"p-{name}"
    )
    path.write_text(HEAD + kea("10.0.0.1", "pc") + kea("10.0.0.2", "pc", mac="02:00:00:00:00:12") + kea("10.0.0.3", ""))
    (tmp_path / "macs.csv").write_text("02:00:00:00:00:12,anna\n")
    macs.poll()
    found = {"10.0.0.1": "p-pc", "10.0.0.2": "p-anna", "10.0.0.3": "p-02:00:00:00:00:11"}
    assert told(source.poll()) == [found]
    (tmp_path / "macs.csv").write_text("02:00:00:00:00:12,anna2\n02:00:00:00:00:11,bert\n")
    macs.poll()
    assert told(source.poll()) == [{"10.0.0.1": "p-bert", "10.0.0.2": "p-anna2", "10.0.0.3": "p-bert"}]
    source.close()


def test_an_unreadable_file_says_so_and_what_it_told_before_stays(path: Path, leases: Leases, tmp_path: Path) -> None:
    assert leases.poll() == ()
    assert leases.problem == f"cannot read {path}: No such file or directory; btimd's user must be able to read it"
    path.write_text(HEAD + kea("10.0.0.1", "anna"))
    assert (told(leases.poll()), leases.problem) == ([{"10.0.0.1": "anna"}], "")
    path.unlink()
    assert (leases.poll(), leases.problem[:11]) == ((), "cannot read")
    os.mkfifo(tmp_path / "pipe")
    for wrong in (tmp_path / "pipe", tmp_path):
        with pytest.raises(UnreadableError, match="is no ordinary file"):
            open_regular(wrong)


def test_a_line_without_end_costs_itself_only(path: Path) -> None:
    path.write_text("x" * 200_000)
    file = GrowingFile(path)
    found: list[bytes] = []
    while (read := file.lines(50_000))[1]:
        found += read[0]
    append(path, "yyy\nhello\n" + "z" * 70_000 + "\nworld\n")
    while (read := file.lines(50_000))[1]:
        found += read[0]
    assert (found, file.too_long) == ([b"hello", b"world"], 2)
    file.close()


def test_an_address_list_is_read_anew_when_it_changes(path: Path) -> None:
    source = AddressList("list", path, as_it_is)
    path.write_text("10.0.0.1,anna\n10.0.0.x,bert\n")
    assert told(source.poll()) == [{"10.0.0.1": "anna"}]
    assert (source.records, source.refused, source.poll()) == (2, 1, ())
    path.write_text("10.0.0.2,anna\n")
    assert told(source.poll()) == [{"10.0.0.2": "anna"}]
    assert (source.records, source.refused, source.last_error) == (3, 1, "")


def test_a_list_that_is_too_large_is_not_read(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    source = AddressList("list", path, as_it_is)
    assert source.poll() == ()
    assert "67108865 octets; 67108864 at most" in source.problem


def test_a_detail_file_goes_on_in_the_next_one_and_its_last_records_are_not_lost(path: Path) -> None:
    source = Detail("radius.detail.1", path, naming=lambda name: name.upper())
    path.write_bytes(RECORD)
    assert told(source.poll()) == [("s1", 'ANNA"A', "START")]
    assert told(source.poll()) == []
    with path.open("ab") as file:
        path.rename(path.with_name("detail.1"))
        path.write_bytes(RECORD.replace(b'"s1"', b'"s3"'))
        file.write(RECORD.replace(b'"s1"', b'"s2"'))
    assert [one[0] for one in told(source.poll()) + told(source.poll())] == ["s2", "s3"]  # type: ignore[index]  # tuples
    path.write_bytes(RECORD.replace(b'"s1"', b'"s4"')[:-1])
    assert told(source.poll()) == []
    assert (source.records, source.refused) == (3, 0)
    source.close()
