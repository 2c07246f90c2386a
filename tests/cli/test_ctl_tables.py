"""What people read: whole pictures, at 100 columns."""

from dataclasses import replace
from datetime import UTC
from io import StringIO

from rich.console import Console, RenderableType

from btimd.cli.ctl_tables import Tables
from btimd.model.ports import DiagnosisProgress
from btimd.model.service import Node, NodeKind, ServiceGraph
from tests.fakes.views import (
    DIAGNOSIS,
    EXPLANATION,
    GRAPH,
    NODE_STATES,
    OPENED,
    SLA_STATE,
    SYMPTOM,
    VERDICT,
    WINDOW,
)

TABLES = Tables(UTC)


def drawn(picture: RenderableType) -> list[str]:
    """Return the lines that are drawn at 100 columns, without trailing blanks."""
    file = StringIO()
    Console(file=file, width=100, highlight=False, emoji=False).print(picture)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert not any("…" in line for line in lines), "a column is cut"
    return lines


def test_traffic_says_what_is_estimated_and_what_is_a_lower_bound() -> None:
    other = replace(
        WINDOW, business="", region="", segment="", sampled=True, users_exact=False, export_loss_ratio=0.0123
    )

    assert drawn(TABLES.windows([WINDOW, other])) == [
        "from              for  business  region    segment    to server     to client  flows  users   lost",
        "09-21 14:14:00  1 min  erp       Shanghai  Finance   160 kbit/s   11.7 Mbit/s    420     37      ?",
        "09-21 14:14:00  1 min  (none)    -         -        ~160 kbit/s  ~11.7 Mbit/s    420   >=37  1.2 %",
    ]


def test_the_graph_shows_a_shared_node_below_each_but_opens_it_once() -> None:
    assert drawn(TABLES.graph(GRAPH, {state.node: state for state in NODE_STATES})) == [
        "service graph, generation 3",
        "├── ▲ degraded  erp  business, ERP",
        "│   └── ▲ degraded  erp-web  application, ERP web  200 in 12 ms",
        "│       └── ✖ bad  db1  database, ERP database  connection refused",
        "│           └── ● good  host1  host, Host of db1  echo in 0.2 ms",
        "└── ▲ degraded  hr  business, HR",
        "    └── ✖ bad  db1  database, ERP database  connection refused  (see above)",
    ]


def test_a_graph_of_many_ways_to_one_node_stays_small() -> None:
    nodes = {f"n{i}": Node(f"n{i}", NodeKind.HOST, "", needs=(f"n{i + 1}", f"n{i + 2}")) for i in range(12)}
    nodes |= {name: Node(name, NodeKind.HOST, "") for name in ("n12", "n13")}

    assert len(drawn(TABLES.graph(ServiceGraph(nodes, {}), {}))) == 26


def test_every_other_picture_fits_100_columns() -> None:
    pictures: dict[str, tuple[RenderableType, str]] = {
        "nodes": (
            TABLES.nodes(NODE_STATES[3:4]),
            "db1   database  ✖ bad   ✖ bad   09-21 14:13:20  connection refused",
        ),
        "symptoms": (TABLES.symptoms([SYMPTOM]), "09-21 14:13:10  erp   erp-page  timeout  no page within 2 s"),
        "verdicts": (
            TABLES.verdicts([VERDICT]),
            "09-21 14:13:22  v1  db1    98 %       3  12 s  db1 refuses connections",
        ),
        "timeline": (
            TABLES.timeline([OPENED]),
            "1  09-21 14:13:22  rca  opened  new    verdict v1",
        ),
        "sla": (
            TABLES.sla_states([SLA_STATE]),
            "erp       ▲ at-risk  ✖ down  99.9 %  99.500 %    93.0 %  6 min 40 s  43 min 12 s  15 %",
        ),
        "diagnoses": (
            TABLES.diagnoses([DIAGNOSIS]),
            "v1            1  erp  db1 50 %, erp-web 50 %  db1-sql bad: 10.2.0.20:5432 refused the connection",
        ),
    }

    assert {name: drawn(picture)[1] for name, (picture, _) in pictures.items()} == {
        name: line for name, (_, line) in pictures.items()
    }


def test_a_diagnosis_that_ended_says_its_verdict() -> None:
    ended: DiagnosisProgress = replace(DIAGNOSIS, verdict=VERDICT)

    assert drawn(TABLES.diagnoses([ended]))[1].endswith("verdict: db1 refuses connections")


def test_an_explanation_says_what_is_not_known() -> None:
    stranger = replace(EXPLANATION, businesses=(), rule_id="", region="", segment="", person="", reasons=("no rule",))

    assert drawn(TABLES.explanation(stranger)) == [
        "business  none: unattributed traffic",
        "rule      -",
        "client    10.1.2.3  (not in the IP plan)",
        "server    10.2.0.10",
        "  - no rule",
    ]
