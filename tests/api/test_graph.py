import asyncio
from dataclasses import replace

import pytest

from btimd.api.client import CallFailedError, Page, Update
from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from tests.api.conftest import Served
from tests.fakes.views import DIAGNOSIS, GRAPH, NODE_STATES, NOW, SQL_CHECK, SYMPTOM, VERDICT


async def test_the_graph_and_how_it_stands_are_listed(served: Served) -> None:
    with served.client() as client:
        assert await asyncio.to_thread(client.graph) == GRAPH
        assert await asyncio.to_thread(client.node_states) == Page([*NODE_STATES], more=False)
        assert await asyncio.to_thread(client.symptoms) == Page([SYMPTOM], more=False)


async def test_verdicts_are_listed_and_counted(served: Served) -> None:
    served.graph.found.append(replace(VERDICT, id="v0"))
    with served.client() as client:
        assert await asyncio.to_thread(client.verdicts, 1) == Page([VERDICT], more=True)


async def test_nodes_are_followed_from_the_present_state_on(served: Served) -> None:
    served.graph.nodes.publish("db1", NODE_STATES[3])
    with served.client() as client:
        stream = client.watch_nodes()
        first = await asyncio.to_thread(next, stream)
        served.graph.nodes.publish("host1", NODE_STATES[4])
        second = await asyncio.to_thread(next, stream)

    assert (first, second) == (Update([NODE_STATES[3]], snapshot=True), Update([NODE_STATES[4]], snapshot=False))


async def test_diagnoses_are_followed_to_their_verdict(served: Served) -> None:
    ended = replace(DIAGNOSIS, step=2, verdict=VERDICT)
    with served.client() as client:
        stream = client.watch_diagnoses()
        first = await asyncio.to_thread(next, stream)
        served.graph.diagnoses.publish("v1", ended)
        second = await asyncio.to_thread(next, stream)

    assert (first, second) == (Update([], snapshot=True), Update([ended], snapshot=False))


async def test_a_probe_runs_in_the_name_of_the_caller(served: Served) -> None:
    with served.client("otto") as client:
        result = await asyncio.to_thread(client.probe, "db1-sql")
        with pytest.raises(CallFailedError, match="there is no check 'nope'") as refused:
            await asyncio.to_thread(client.probe, "nope")

    spec = ProbeSpec(7, SQL_CHECK, "asked by otto")
    assert result == ProbeResult(
        spec, Health.BAD, ErrorClass.REFUSED, "refused", NOW, 0.004, {"connect_seconds": 0.004}
    )
    assert served.graph.probed == [("db1-sql", "otto")]
    assert refused.value.code == "NOT_FOUND"
