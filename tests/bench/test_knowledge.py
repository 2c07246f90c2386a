"""The bench of full-text search still runs, and still finds all there is; its times with so few mean nothing."""

import asyncio

import pytest

from bench.knowledge import run


@pytest.mark.slow
def test_the_bench_finds_everything_among_a_few_articles() -> None:
    report = asyncio.run(run(count=300, rounds=1))
    assert report["articles"] == 300
    found = report["found, of what is there"]
    assert isinstance(found, dict)
    assert found["支付"] == "150 of 150"
