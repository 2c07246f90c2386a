import pytest

from btimd.capture.wire import sampling
from btimd.capture.wire.sampling import SamplingBook, announced_rate
from btimd.capture.wire.tables import Tables
from btimd.kernels import flowlayout as fl


@pytest.mark.parametrize(
    ("values", "rate"),
    [
        ({}, 0), ({34: 100}, 100), ({50: 7, 34: 100}, 7), ({305: 1, 306: 99}, 100), ({305: 10, 306: 990}, 100),
        ({305: 5}, 1), ({305: 0, 306: 5}, 0), ({309: 2, 310: 200}, 100), ({305: 1, 309: 1, 310: 256}, 256),
        ({34: 1 << 24}, 1 << 24), ({34: (1 << 24) + 1}, 0),
    ],
)  # fmt: skip
def test_the_rate_of_an_announcement(values: dict[int, int], rate: int) -> None:
    assert announced_rate(values) == rate


def test_samplers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MAX_SAMPLERS", 4)
    tables = Tables(default_rate=1)
    exporter = tables.add_exporter(0, 1, "::1")
    domain = tables.add_domain(exporter, 0, 1, 10, 0)
    book = SamplingBook(tables)
    for sampler in range(5):
        book.learn(exporter, domain, {48: sampler, 50: 100 + sampler})
    found = [tables.samplers.get((domain << 31) | sampler) for sampler in range(5)]
    assert found == [100, 101, -1, -1, -1]
    assert (book.rate_of_exporter(exporter), int(tables.domains[domain, fl.D_RATE])) == (104, 104)
