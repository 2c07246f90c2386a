"""Stand-ins for systems that cannot be run here. Each enforces the rules its maker publishes: what a request must hold,
how long texts may be, which status answers what, what is one thing and what is two. They are no proof about the systems.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from btimd.itsm.emit.exchange import HttpAnswer, HttpRequest
from tests.itsm.messages import answer


def _parts(request: HttpRequest) -> tuple[str, dict[str, str], Any]:
    split = urlsplit(request.path)
    given = {name: values[0] for name, values in parse_qs(split.query).items()}
    return split.path, given, json.loads(request.body) if request.body else None


@dataclass
class PagerDutyDouble:
    """Events API v2: one alert per dedup_key, opened by trigger, ended by resolve."""

    alerts: dict[str, str] = field(default_factory=dict)
    incidents: int = 0

    def __call__(self, request: HttpRequest) -> HttpAnswer:  # noqa: C901  one line per published rule
        path, _, event = _parts(request)
        if (request.method, path) != ("POST", "v2/enqueue"):
            return answer(404)
        errors = []
        if len(request.body) > 512 * 1024:
            errors.append("event exceeds 512 KB")
        if not re.fullmatch(r"[0-9a-zA-Z]{32}", event.get("routing_key", "")):
            errors.append("'routing_key' is invalid")
        if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
            errors.append("'event_action' is invalid")
        if len(event.get("dedup_key", "")) > 255 or (event["event_action"] != "trigger" and not event.get("dedup_key")):
            errors.append("'dedup_key' is invalid")
        if event["event_action"] == "trigger":
            payload = event.get("payload", {})
            errors += [
                f"'payload.{name}' is missing" for name in ("summary", "source", "severity") if not payload.get(name)
            ]
            if len(payload.get("summary", "")) > 1024:
                errors.append("'payload.summary' is too long")
            if payload.get("severity") not in {"critical", "error", "warning", "info"}:
                errors.append("'payload.severity' is invalid")
        if errors:
            return answer(400, {"status": "invalid event", "errors": errors})
        key, action = event["dedup_key"], event["event_action"]
        if action == "trigger":
            self.incidents += self.alerts.get(key) in {None, "resolve"}
            self.alerts[key] = "acknowledge" if self.alerts.get(key) == "acknowledge" else "trigger"
        elif key in self.alerts:
            self.alerts[key] = action
        return answer(202, {"status": "success", "dedup_key": key})


@dataclass
class JsmDouble:
    """The alert API of an integration: taken with 202, one open alert per alias, notes as they come."""

    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __call__(self, request: HttpRequest) -> HttpAnswer:  # noqa: PLR0911  one per kind of answer
        path, given, document = _parts(request)
        prefix = "jsm/ops/integration/v2/alerts"
        if not path.startswith(prefix):
            return answer(404)
        rest = path.removeprefix(prefix).strip("/")
        if not rest:
            return self._open(document)
        alias, _, what = rest.partition("/")
        alert = self.alerts.get(unquote(alias))
        if given.get("identifierType") != "alias":
            return answer(422, {"message": "identifierType"})
        if request.method == "GET" and what == "notes":
            return (
                answer(200, {"data": [{"note": note} for note in reversed(alert["notes"])]}) if alert else answer(404)
            )
        if request.method != "POST" or what not in {"notes", "close", "acknowledge"}:
            return answer(404)
        if len(document.get("note", "")) > 25_000 or (what == "notes" and not document.get("note")):
            return answer(422, {"message": "note"})
        if alert is not None:
            alert["notes"] += [document["note"]] if document.get("note") else []
            alert["status"] = {"close": "closed", "acknowledge": "acked"}.get(what, alert["status"])
        return answer(202, {"result": "Request will be processed", "requestId": "r"})

    def _open(self, document: dict[str, Any]) -> HttpAnswer:
        limits = {"message": 130, "alias": 512, "description": 15_000, "entity": 512, "source": 100}
        wrong = [name for name, limit in limits.items() if len(document.get(name, "")) > limit]
        if wrong or not document.get("message") or document.get("priority") not in {"P1", "P2", "P3", "P4", "P5"}:
            return answer(422, {"message": f"Request body is not processable: {wrong}"})
        alert = self.alerts.get(document["alias"])
        if alert is None or alert["status"] == "closed":
            self.alerts[document["alias"]] = {"status": "open", "count": 1, "notes": [], **document}
        else:
            alert["count"] += 1
        return answer(202, {"result": "Request will be processed", "requestId": "r"})


@dataclass
class ServiceNowEventsDouble:
    """The JSON event collector: one alert per message_key."""

    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __call__(self, request: HttpRequest) -> HttpAnswer:
        path, _, document = _parts(request)
        if (request.method, path) != ("POST", "api/global/em/jsonv2"):
            return answer(404)
        for record in document["records"]:
            wrong = [name for name in ("source", "severity", "message_key", "node") if not record.get(name)]
            wrong += [] if record["severity"] in set("012345") else ["severity"]
            wrong += (
                [] if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", record["time_of_event"]) else ["time_of_event"]
            )
            wrong += [] if record["resolution_state"] in {"New", "Closing"} else ["resolution_state"]
            wrong += [] if isinstance(json.loads(record["additional_info"]), dict) else ["additional_info"]
            wrong += [
                name
                for name, limit in {"source": 100, "node": 100, "description": 4000}.items()
                if len(record[name]) > limit
            ]
            if wrong:
                return answer(400, {"error": {"message": f"bad {wrong}"}})
            self.alerts[record["message_key"]] = record
        return answer(200, {"result": "ok"})


@dataclass
class ServiceNowDouble:
    """The incident table: only 201 creates, unknown query fields are ignored, a closed record needs code and notes."""

    records: list[dict[str, str]] = field(default_factory=list)
    journal: list[dict[str, str]] = field(default_factory=list)
    hibernates: bool = False
    user: str = "btimd"
    now: str = "2023-11-14 22:13:20"

    def __call__(self, request: HttpRequest) -> HttpAnswer:
        if self.hibernates:
            return HttpAnswer(200, {}, b"<html>Your instance is hibernating</html>")
        path, given, document = _parts(request)
        table, _, sys_id = path.removeprefix("api/now/table/").partition("/")
        if table == "sys_journal_field":
            wanted = dict(re.findall(r"(\w+)>?=([^^]*)", given["sysparm_query"]))
            return answer(200, {"result": [one for one in self.journal if one["element_id"] == wanted["element_id"]]})
        if request.method == "GET" and not sys_id:
            return answer(200, {"result": self._found(given["sysparm_query"])})
        if request.method == "POST":
            made = {"sys_id": f"{len(self.records):032x}", "number": f"INC{len(self.records):07}", "state": "1"}
            self.records.append(made)
            return self._write(made, document, 201)
        record = next((one for one in self.records if one["sys_id"] == sys_id), None)
        if record is None:
            return answer(404, {"error": {"message": "No Record found"}})
        return answer(200, {"result": record}) if request.method == "GET" else self._write(record, document, 200)

    def _found(self, wanted: str) -> list[dict[str, str]]:
        key = re.search(r"correlation_id=([^^]*)", wanted)
        since = re.search(r"sys_updated_on>=([^^]*)", wanted)
        chosen = [one for one in self.records if key is None or one.get("correlation_id") == key[1]]
        return [one for one in chosen if since is None or one["sys_updated_on"] >= since[1]]

    def _write(self, record: dict[str, str], document: dict[str, str], status: int) -> HttpAnswer:
        assert all(isinstance(value, str) for value in document.values()), "every value of the table is text"
        if document.get("state") in {"6", "7"} and not (document.get("close_code") and document.get("close_notes")):
            return answer(403, {"error": {"message": "Operation Failed", "detail": "Data Policy Exception"}})
        if len(document.get("short_description", "")) > 160 or len(document.get("correlation_display", "")) > 100:
            return answer(400, {"error": {"message": "too long"}})
        if "work_notes" in document:
            self.note(record["sys_id"], self.user, document["work_notes"])
        record |= {name: value for name, value in document.items() if name != "work_notes"}
        record |= {"sys_updated_on": self.now, "sys_updated_by": self.user}
        record["sys_mod_count"] = str(int(record.get("sys_mod_count", "-1")) + 1)
        return answer(status, {"result": record})

    def note(self, sys_id: str, user: str, value: str) -> None:
        number = f"j{len(self.journal)}"
        self.journal.append(
            {"sys_id": number, "element_id": sys_id, "value": value, "sys_created_by": user, "sys_created_on": self.now}
        )


@dataclass
class JiraDouble:
    """Issues with a workflow: a status is reached by its transition, comments repeat, properties do not."""

    cloud: bool = True
    issues: list[dict[str, Any]] = field(default_factory=list)
    workflow: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"To Do": ("In Progress", "Done"), "In Progress": ("To Do", "Done"), "Done": ("To Do",)}
    )
    drops_properties: bool = False

    def __call__(self, request: HttpRequest) -> HttpAnswer:
        path, given, document = _parts(request)
        if path == ("rest/api/3/search/jql" if self.cloud else "rest/api/2/search"):
            return self._search(document)
        if (request.method, path) == ("POST", "rest/api/2/issue"):
            return self._create(document)
        found = re.fullmatch(r"rest/api/2/issue/(\d+)(?:/(comment|transitions|properties/btimd))?", path)
        issue = next((one for one in self.issues if found and one["id"] == found[1]), None)
        if found is None or issue is None:
            return answer(404, {"errorMessages": ["Issue does not exist or you do not have permission to see it."]})
        return self._on_issue(request.method, found[2] or "", issue, given, document)

    def _on_issue(  # noqa: PLR0911  one per call
        self, method: str, what: str, issue: dict[str, Any], given: dict[str, str], document: Any
    ) -> HttpAnswer:
        status = issue["fields"]["status"]["name"]
        match method, what:
            case "GET", "":
                shown = {**issue, "properties": issue["properties"] if given.get("properties") == "btimd" else {}}
                return answer(200, shown)
            case "PUT", "":
                issue["fields"] |= document["fields"]
                return answer(204)
            case "GET", "comment":
                return answer(200, {"comments": issue["comments"][::-1][: int(given["maxResults"])]})
            case "POST", "comment":
                issue["comments"].append({"id": str(len(issue["comments"])), "body": document["body"]})
                return answer(201, {"id": "1"})
            case "GET", "transitions":
                ways = self.workflow[status]
                return answer(200, {"transitions": [{"id": str(n), "to": {"name": way}} for n, way in enumerate(ways)]})
            case "POST", "transitions":
                ways = self.workflow[status]
                number = int(document["transition"]["id"])
                if number >= len(ways):
                    return answer(400, {"errorMessages": ["transition"]})
                issue["fields"]["status"] = {"name": ways[number]}
                return answer(204)
            case "PUT", "properties/btimd":
                if not self.drops_properties:
                    issue["properties"]["btimd"] = document
                return answer(200 if "btimd" in issue["properties"] else 201)
        return answer(405)

    def _create(self, document: dict[str, Any]) -> HttpAnswer:
        fields = document["fields"]
        wrong = [name for name in ("project", "issuetype", "summary") if not fields.get(name)]
        if (
            wrong
            or len(fields["summary"]) > 255
            or "\n" in fields["summary"]
            or any(" " in one for one in fields["labels"])
        ):
            return answer(400, {"errors": dict.fromkeys(wrong, "is required")})
        number = str(10_000 + len(self.issues))
        properties = {one["key"]: one["value"] for one in document.get("properties", ())}
        fields = {**fields, "status": {"name": "To Do"}}
        self.issues.append(
            {"id": number, "key": f"NET-{number}", "fields": fields, "properties": properties, "comments": []}
        )
        return answer(201, {"id": number, "key": f"NET-{number}"})

    def _search(self, document: dict[str, Any]) -> HttpAnswer:
        label = re.search(r'labels = "([^"]+)"', document["jql"])
        assert label is not None
        found = [one for one in self.issues if label[1] in one["fields"]["labels"]]
        shown = [{name: one[name] for name in ("id", "key", "fields", "changelog") if name in one} for one in found]
        return answer(200, {"issues": shown, "isLast": True})
