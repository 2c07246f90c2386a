import os
import subprocess
from pathlib import Path

import pytest

from bench.datagrams import write_capture
from bench.peers import LabelTruth, nfacctd_sums, write_nfacctd
from bench.traffic import Network, make_plan, make_rules
from tests.programs import need

ENTRIES, SERVICE_RULES = make_plan(60), make_rules(20, 5)
NETWORK = Network.of(ENTRIES, SERVICE_RULES, 300)


def test_labels_hold_every_record_once(tmp_path: Path) -> None:
    (drawn,) = write_capture(tmp_path / "load.pcap", NETWORK, 3_000)
    truth = LabelTruth(ENTRIES, SERVICE_RULES, NETWORK)
    truth.add(drawn)
    octets, packets, flows = (sum(row[number] for row in truth.sums().values()) for number in range(3))
    assert flows == 3_000
    assert octets == int((drawn.flows["octet_delta_count"] * drawn.flows["sampling_rate"]).sum())
    assert packets == int((drawn.flows["packet_delta_count"] * drawn.flows["sampling_rate"]).sum())


@pytest.mark.slow
@pytest.mark.real_server
def test_nfacctd_finds_the_same_sums(tmp_path: Path) -> None:
    nfacctd = need("nfacctd")
    (drawn,) = write_capture(tmp_path / "load.pcap", NETWORK, 3_000, filler=True)
    config = write_nfacctd(tmp_path / "nfacctd", ENTRIES, SERVICE_RULES, capture=tmp_path / "load.pcap")
    subprocess.run([nfacctd, "-f", config], check=True, capture_output=True, env={**os.environ, "TZ": "UTC"})
    truth = LabelTruth(ENTRIES, SERVICE_RULES, NETWORK)
    truth.add(drawn)
    assert nfacctd_sums(tmp_path / "nfacctd") == truth.sums()
