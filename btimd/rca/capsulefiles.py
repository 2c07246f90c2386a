"""Capsules as files: one gzipped JSON document per diagnosis, the newest kept, readable by any later btimd."""

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from btimd.model.service import ServiceGraph
from btimd.model.verdict import Verdict
from btimd.rca.capsule import CAPSULE_VERSION, Capsule, EngineState, TimedEvent
from btimd.rca.events import (
    ChangeSeen,
    Event,
    GraphSwapped,
    Observed,
    ProbeDone,
    SignSeen,
    SymptomGone,
    SymptomSeen,
    Tick,
)

SUFFIX: Final = ".capsule.json.gz"
MAX_OCTETS: Final = 512 * 1024 * 1024
"""A capsule that unpacks to more is refused: files come from anywhere."""

_KINDS: Final[Mapping[str, TypeAdapter[Any]]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (SymptomSeen, SymptomGone, ProbeDone, Observed, SignSeen, ChangeSeen, GraphSwapped, Tick)
}
_GRAPH: Final[TypeAdapter[ServiceGraph]] = TypeAdapter(ServiceGraph)
_STATE: Final[TypeAdapter[EngineState]] = TypeAdapter(EngineState)
_VERDICT: Final[TypeAdapter[Verdict]] = TypeAdapter(Verdict)
_FIRST_OCTETS: Final = 256 * 1024
"""Of a file, what is unpacked first to find its verdict; then ever more of it."""


@dataclass(frozen=True, slots=True)
class CapsuleHead:
    """What stands at the beginning of a capsule."""

    program: str
    model: str
    complete: bool
    verdict: Verdict


class CapsuleError(ValueError):
    """A file that is no capsule, or one that this btimd cannot read; the text says which and why."""


def model_hash(graph: ServiceGraph) -> str:
    """Return what tells one dependency model from another: 16 hexadecimal digits over all of it."""
    return hashlib.blake2b(_GRAPH.dump_json(graph, fallback=_plain, warnings=False), digest_size=8).hexdigest()


def encode(capsule: Capsule) -> bytes:
    """Return a capsule as it is written."""
    document = {
        "version": capsule.version,
        "program": capsule.program,
        "model": capsule.model,
        "complete": capsule.complete,
        "verdict": _VERDICT.dump_python(capsule.verdict, mode="json", fallback=_plain, warnings=False),
        "state": _STATE.dump_python(capsule.state, mode="json", fallback=_plain, warnings=False),
        "events": [
            {"at": timed.at, "kind": type(timed.event).__name__, "event": _dump(timed.event)}
            for timed in capsule.events
        ],
        "graph": _GRAPH.dump_python(capsule.graph, mode="json", fallback=_plain, warnings=False),
    }
    return gzip.compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(), 6, mtime=0)


def decode(data: bytes, name: str) -> Capsule:
    """Return the capsule of a file's content; raises CapsuleError, with the name of the file, for anything else."""
    try:
        document = json.loads(_unpacked(data))
        version = _version(document["version"], name)
        return Capsule(
            version=version,
            program=str(document["program"]),
            model=str(document["model"]),
            graph=_GRAPH.validate_python(document["graph"], strict=False),
            state=_STATE.validate_python(document["state"]),
            events=tuple(_event(entry) for entry in document["events"]),
            verdict=_VERDICT.validate_python(document["verdict"]),
            complete=bool(document["complete"]),
        )
    except CapsuleError:
        raise
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CapsuleError(f"{name}: {error.title}.{where}: {first['msg']}") from error
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CapsuleError(f"{name}: is no capsule of a diagnosis: {error}") from error


def write(folder: Path, capsule: Capsule, keep: int) -> Path:
    """Write a capsule whole or not at all, readable by btimd only, and take away the oldest beyond `keep`.

    Raises OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{capsule.verdict.id}{SUFFIX}"
    draft = path.with_suffix(".part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(encode(capsule))
    draft.replace(path)
    for old in sorted(folder.glob(f"*{SUFFIX}"), key=lambda found: found.stat().st_mtime)[:-keep]:
        old.unlink(missing_ok=True)
    return path


def read(path: Path) -> Capsule:
    """Return the capsule of a file; raises CapsuleError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CapsuleError(f"{path}: cannot be read: {error.strerror}") from error
    return decode(data, str(path))


def read_head(path: Path) -> CapsuleHead:
    """Return how a capsule begins without reading its model; raises CapsuleError."""
    try:
        with path.open("rb") as file:
            opened = zlib.decompressobj(wbits=31)
            found, limit = bytearray(), _FIRST_OCTETS
            while True:
                found += opened.decompress(opened.unconsumed_tail + file.read(limit), limit)
                head = _head(found.decode(errors="ignore"))
                if head is not None:
                    return head
                if opened.eof or len(found) > MAX_OCTETS or (not opened.unconsumed_tail and not file.peek(1)):
                    break
                limit = len(found) + _FIRST_OCTETS
    except OSError as error:
        raise CapsuleError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise CapsuleError(f"{path}: {error.title}: {error.errors()[0]['msg']}") from error
    except (zlib.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CapsuleError(f"{path}: is no capsule of a diagnosis: {error}") from error
    raise CapsuleError(f"{path}: has no verdict at its beginning")


def _head(text: str) -> CapsuleHead | None:
    """Return the beginning of a document, None where more of it is needed."""
    if text and not text.startswith("{"):
        raise ValueError("it does not begin with an object")
    decoder, fields, place = json.JSONDecoder(), dict[str, Any](), 1
    while "verdict" not in fields:
        try:
            name, place = decoder.raw_decode(text, _next(text, place))
            fields[name], place = decoder.raw_decode(text, _next(text, place))
        except json.JSONDecodeError:
            return None
    verdict = _VERDICT.validate_python(fields["verdict"])
    return CapsuleHead(str(fields["program"]), str(fields["model"]), bool(fields["complete"]), verdict)


def _next(text: str, place: int) -> int:
    """Return where the next name or value begins."""
    while text[place : place + 1] in {" ", ",", ":", "\n"}:
        place += 1
    return place


def _version(version: Any, name: str) -> int:
    if version != CAPSULE_VERSION:
        raise CapsuleError(f"{name}: is of version {version}; this btimd reads version {CAPSULE_VERSION}")
    return CAPSULE_VERSION


def _plain(value: Any) -> dict[Any, Any]:
    """Return what read-only mappings hold; raises TypeError for anything else that JSON does not know."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{type(value).__name__} has no place in a capsule")
    return dict(value)


def _dump(event: Event) -> Any:
    return _KINDS[type(event).__name__].dump_python(event, mode="json", fallback=_plain, warnings=False)


def _event(entry: Mapping[str, Any]) -> TimedEvent:
    kind = _KINDS.get(str(entry["kind"]))
    if kind is None:
        raise CapsuleError(f"holds an event of unknown kind {entry['kind']!r}")
    return TimedEvent(float(entry["at"]), kind.validate_python(entry["event"]))


def _unpacked(data: bytes) -> bytes:
    """Return the document; raises ValueError where it is larger than any capsule."""
    opened = zlib.decompressobj(wbits=31)
    found = bytearray(opened.decompress(data, MAX_OCTETS + 1))
    if len(found) > MAX_OCTETS or opened.unconsumed_tail:
        raise ValueError(f"it unpacks to more than {MAX_OCTETS} octets")
    if not opened.eof:
        raise EOFError("it is cut off")
    return bytes(found)
