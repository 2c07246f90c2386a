"""Described ticket systems: the other end is a double that takes what the shipped profiles send."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from btimd.itsm.emit.exchange import HttpAnswer, HttpRequest, Work
from btimd.itsm.emit.profile import ProfileError, ProfileSystem, filled, profile_of
from btimd.itsm.emit.tickets import States
from btimd.model.delivery import ExternalReference
from tests.itsm.messages import answer, message, play
from tests.itsm.posts import T0

PROFILES = Path(__file__).parents[2] / "config" / "profiles"


def system(name: str) -> ProfileSystem:
    profile = profile_of((PROFILES / f"{name}.toml").read_text(), name)
    return ProfileSystem(profile, States(profile.states, profile.priorities, {}), "btimd", "t-o-k")


@dataclass
class Tickets:
    """Keeps tickets by number: what every double below shares."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, row: dict[str, Any]) -> dict[str, Any]:
        row["id"] = len(self.rows) + 1
        self.rows[str(row["id"])] = row
        return row


class Zammad(Tickets):
    def __call__(self, request: HttpRequest) -> HttpAnswer:
        assert request.headers["Authorization"] == "Token token=t-o-k"
        document = json.loads(request.body) if request.body else {}
        path = unquote(request.path)
        if "search?query=btim_incident:" in path:
            key = path.partition('"')[2].partition('"')[0]
            return answer(200, [row for row in self.rows.values() if row["btim_incident"] == key])
        if request.method == "POST":
            assert {"title", "group", "customer", "article"} <= document.keys()
            return answer(201, self.add({name: document[name] for name in ("btim_incident", "btim_seq", "state")}))
        row = self.rows[path.rpartition("/")[2].partition("?")[0]]
        if request.method == "PUT":
            self.notes += [document.pop("article")["body"]] if "article" in document else []
            row |= document
        return answer(200, row)


class Itop(Tickets):
    def __call__(self, request: HttpRequest) -> HttpAnswer:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        assert (form["auth_user"], form["auth_pwd"]) == ("btimd", "t-o-k")
        asked = json.loads(form["json_data"])
        key = asked.get("key")
        match asked["operation"]:
            case "core/create":
                rows = [self.add({"status": "new", **asked["fields"]})]
            case "core/get" if isinstance(key, dict):
                rows = [row for row in self.rows.values() if row["ref_ext"] == key["ref_ext"]]
            case "core/get":
                rows = [self.rows[key]]
            case "core/update":
                rows = [self.rows[key]]
                self.notes.append(asked["fields"]["private_log"]["add_item"]["message"])
                rows[0]["btim_seq"] = asked["fields"]["btim_seq"]
            case _:
                rows = [self.rows[key]]
                rows[0]["status"] = {"ev_resolve": "resolved"}[asked["stimulus"]]
        return answer(
            200,
            {
                "code": 0,
                "objects": {f"Incident::{row['id']}": {"key": row["id"], "fields": row} for row in rows} or None,
            },
        )


class Glpi(Tickets):
    def __call__(self, request: HttpRequest) -> HttpAnswer:
        if request.path == "apirest.php/initSession":
            assert request.headers["Authorization"] == "user_token t-o-k"
            return answer(200, {"session_token": "s"})
        assert request.headers["Session-Token"] == "s"
        document = json.loads(request.body)["input"] if request.body else {}
        if "searchText" in request.path:
            key = unquote(request.path).partition("=^")[2].partition("$")[0]
            return answer(206, [row for row in self.rows.values() if row["externalid"] == key])
        if request.method == "POST":
            return answer(201, self.add({"status": 1, **document}))
        row = self.rows[request.path.rpartition("/")[2]]
        if request.method == "PUT":
            self.notes += [document.pop("_followup")["content"]] if "_followup" in document else []
            row |= document
        return answer(200, row)


@pytest.mark.parametrize(
    ("name", "there", "status"), [("zammad", Zammad(), "closed"), ("itop", Itop(), "resolved"), ("glpi", Glpi(), "5")]
)
def test_a_life_is_one_ticket_in_each_described_system(name: str, there: Any, status: str) -> None:
    described = system(name)
    reference: ExternalReference | None = None
    for number in (1, 2, 3, 4, 5):
        for uncertain in (False, True):  # everything is told twice
            work = Work(replace(message(number), uncertain=uncertain), reference, T0)
            reference = play(described.deliver(work), there)[0].reference

    assert reference == ExternalReference("desk", "INC-1", "1", 5, is_open=False)
    assert [note[:15] for note in there.notes] == [f"[btimd INC-1.{n}]" for n in (2, 3, 4, 5)]
    assert "监听中断" in there.notes[1]
    (row,) = there.rows.values()
    assert str(row.get("status", row.get("state"))) == status


def test_values_are_escaped_as_their_place_demands() -> None:
    values = {"note": 'a"b\n/c'}

    assert filled("x/$note", values, "path") == "x/a%22b%0A%2Fc"
    assert json.loads(filled('{"n": "$note"}', values, "json")) == {"n": 'a"b\n/c'}
    assert filled("$note", values, "plain") == 'a"b /c'


STEP = 'method = "GET"\npath = "x"\n'
WHOLE = "".join(f"[{name}]\n{STEP}" for name in ("find", "read", "create", "note"))
TICKET = '[ticket]\nid = "i"\nkey = "k"\nseq = "s"\nstatus = "t"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x", "p: Expected"),
        (WHOLE, "the table [ticket] is missing"),
        (WHOLE + TICKET + "[more]\n", "unknown table [more]"),
        (WHOLE + '[ticket]\nid = "i"\n', "[ticket] must say where id, key, seq and status are"),
        (WHOLE.replace('"GET"', '"DELETE"', 1) + TICKET, "[find]: give method"),
        (WHOLE.replace('path = "x"', 'path = "$secret"', 1) + TICKET, "[find]: unknown value $secret"),
        (WHOLE.replace(STEP, STEP + 'body = \'{"a": "$note}\'\n', 1) + TICKET, "[find]: the body is no JSON"),
        (WHOLE.replace(STEP, STEP + "verify = false\n", 1) + TICKET, "[find]: unknown key 'verify'"),
        (WHOLE.replace(STEP, STEP + "good = 200\n", 1) + TICKET, "[find]: good is a list of status codes"),
        (WHOLE.replace(STEP, STEP + "body = 3\n", 1) + TICKET, "[find]: body is text"),
        (WHOLE.replace(STEP, STEP + "headers = {a = 1}\n", 1) + TICKET, "[find]: headers is a table of texts"),
        (WHOLE + TICKET + "[states]\nnew = 1\n", "p: states is a table of texts"),
    ],
)
def test_a_wrong_profile_is_refused_with_what_to_do(text: str, problem: str) -> None:
    with pytest.raises(ProfileError) as refused:
        profile_of(text, "p")
    assert problem in str(refused.value)
