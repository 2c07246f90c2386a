import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.model.service import Need, Provenance, Rollup
from btimd.rca import capsulefiles
from btimd.rca.capsule import Capsule
from btimd.rca.capsulefiles import CapsuleError, CapsuleHead, decode, encode, model_hash, read, read_head, write
from btimd.rca.replay import differences, replay
from tests.rca.test_engine import broken
from tests.rca.test_replay import recorded
from tests.rca.worlds import World, graph_of, node, shop


def some() -> Capsule:
    return recorded(broken("sick", "erp-db", 1))[0]


def test_a_capsule_comes_back_as_it_was_and_gives_the_same_verdict() -> None:
    capsule = some()
    back = decode(encode(capsule), "it")
    assert back == capsule
    assert differences(capsule.verdict, replay(back)) == ()


def test_all_that_a_model_says_is_kept() -> None:
    rich = replace(
        node("pool", "application", "a b", "http"),
        rollup=Rollup.QUORUM, quorum=1, weights={"a": 2.0}, standby=("b",), region="", device="box",
        need_facts=(Need("a", Provenance.FLOWS, 0.5, 0.3, 7.0),),
    )  # fmt: skip
    graph = graph_of(rich, node("a", "host"), node("b", "host"))
    capsule = replace(some(), graph=graph)
    assert decode(encode(capsule), "it").graph == graph
    assert model_hash(graph) == model_hash(decode(encode(capsule), "it").graph)
    assert model_hash(graph) != model_hash(shop())


def test_the_newest_are_kept_and_nobody_else_can_read_them(tmp_path: Path) -> None:
    capsule = some()
    for number in range(5):
        path = write(tmp_path / "diagnoses", replace(capsule, verdict=replace(capsule.verdict, id=f"D{number}")), 3)
        assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in (tmp_path / "diagnoses").iterdir()) == [
        f"D{number}.capsule.json.gz" for number in (2, 3, 4)
    ]
    assert read(tmp_path / "diagnoses" / "D4.capsule.json.gz").verdict.id == "D4"


def spoiled(**changed: object) -> bytes:
    document = json.loads(gzip.decompress(encode(some())))
    return gzip.compress(json.dumps({**document, **changed}).encode())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "f: is no capsule of a diagnosis: it is cut off"),
        (b"hello", "f: is no capsule of a diagnosis: Error -3 while decompressing data: incorrect header check"),
        (
            gzip.compress(b"[]", mtime=0),
            "f: is no capsule of a diagnosis: list indices must be integers or slices, not str",
        ),
        (gzip.compress(b"{}", mtime=0), "f: is no capsule of a diagnosis: 'version'"),
        (spoiled(version=9), "f: is of version 9; this btimd reads version 1"),
        (spoiled(events=[{"at": 1, "kind": "Quake", "event": {}}]), "holds an event of unknown kind 'Quake'"),
        (spoiled(verdict={}), "f: Verdict.id: Field required"),
    ],
)
def test_what_is_no_capsule_is_refused_in_words(data: bytes, text: str) -> None:
    with pytest.raises(CapsuleError) as caught:
        decode(data, "f")
    assert str(caught.value) == text


def test_a_capsule_that_is_cut_anywhere_is_refused() -> None:
    data = encode(recorded(World(shop(), dead=frozenset(["db1"])))[0])
    for end in range(0, len(data), 7):
        with pytest.raises(CapsuleError):
            decode(data[:end], "f")


def test_what_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capsulefiles, "MAX_OCTETS", 1000)
    with pytest.raises(CapsuleError, match="unpacks to more than 1000 octets"):
        decode(encode(some()), "f")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CapsuleError, match="cannot be read: No such file or directory"):
        read(tmp_path / "none")


def test_how_a_capsule_begins_is_read_without_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    capsule = replace(some(), model="abc")
    path = write(tmp_path, capsule, 3)
    whole = path.read_bytes()
    monkeypatch.setattr(capsulefiles, "_FIRST_OCTETS", 100)
    for data in (whole, whole[: len(whole) // 2]):
        path.write_bytes(data)
        assert read_head(path) == CapsuleHead("test", "abc", complete=True, verdict=capsule.verdict)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "has no verdict at its beginning"),
        (b"hello", "is no capsule of a diagnosis"),
        (gzip.compress(b"[]", mtime=0), "is no capsule of a diagnosis: it does not begin with an object"),
        (gzip.compress(b'{"version": 1', mtime=0), "has no verdict at its beginning"),
        (spoiled(verdict={}), "Verdict: Field required"),
    ],
)
def test_what_does_not_begin_as_a_capsule_is_refused(tmp_path: Path, data: bytes, text: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(data)
    with pytest.raises(CapsuleError, match=text):
        read_head(path)


def test_a_beginning_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CapsuleError, match="cannot be read"):
        read_head(tmp_path / "none")
