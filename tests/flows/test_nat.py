import numpy as np
import pytest

from btimd.flows.nat import translated
from btimd.model.address import address_halves
from btimd.model.flowbatch import FlowBatch
from tests.flows.traffic import ERP, NOBODY, PORTS, attribution, flow

PUBLIC = "203.0.113.7"


def with_inside(batch: FlowBatch, inside: str, port: int = 0, *, short: bool = False) -> FlowBatch:
    """Return the record with a destination after translation; short: IPv4 as 32 bits."""
    hi, lo = address_halves(inside)
    return FlowBatch(
        {
            **batch.columns,
            "post_nat_destination_address_hi": np.array([hi], np.uint64).view(np.int64),
            "post_nat_destination_address_lo": np.array([lo & 0xFFFF_FFFF if short else lo], np.uint64).view(np.int64),
            "post_napt_destination_transport_port": np.array([port], np.int64),
        }
    )


def outcome(batch: FlowBatch) -> tuple[str, str, bool, tuple[int, int]]:
    """Return the rule, the client's region, whether the source is the client, and the destination as attributed."""
    subject = attribution()
    found = subject.attribute(batch)
    rule, row = int(found.service_rule_id[0]), int(found.client_plan_id[0])
    return (
        subject.rules[rule].id if rule >= 0 else "",
        subject.plan.rows[row].region if row >= 0 else "",
        bool(found.client_is_source[0]),
        (int(found.flows["destination_address_hi"][0]), int(found.flows["destination_address_lo"][0])),
    )


@pytest.mark.parametrize("short", [False, True])
def test_a_request_to_a_published_address_belongs_to_the_server_behind_it(*, short: bool) -> None:
    request = flow("10.1.0.1", NOBODY)
    assert outcome(request)[0] == ""
    assert outcome(with_inside(request, ERP, PORTS[ERP], short=short)) == ("erp", "east", True, address_halves(ERP))


def test_the_client_of_an_answer_to_a_shared_public_address_is_the_one_inside() -> None:
    answer = flow(PUBLIC, ERP, answer=True)
    assert outcome(answer) == ("erp", "", False, address_halves(PUBLIC))
    assert outcome(with_inside(answer, "10.2.0.1")) == ("erp", "west", False, address_halves("10.2.0.1"))


def test_a_record_whose_own_addresses_match_with_the_source_as_client_stays_as_it_is() -> None:
    assert outcome(with_inside(flow("10.1.0.1"), "10.2.0.1")) == ("erp", "east", True, address_halves(ERP))


def test_only_the_rows_that_tell_a_translation_are_looked_at_again() -> None:
    plain = flow("10.1.0.1", NOBODY)
    both = FlowBatch.concat([plain, with_inside(plain, ERP, PORTS[ERP])])
    assert attribution().attribute(both).service_rule_id.tolist() == [-1, 0]
    assert not translated(plain)
    assert not translated(with_inside(plain, "::"))
