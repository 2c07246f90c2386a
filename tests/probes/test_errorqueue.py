import asyncio
import socket

from btimd.probes.errorqueue import hear_errors, never_fragment, read_error, set_hops
from btimd.probes.wire.icmperror import Told
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port


async def test_a_closed_port_is_told_with_the_address_of_who_says_so() -> None:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as opened:
            opened.setblocking(False)
            hear_errors(opened)
            set_hops(opened, 9)
            never_fragment(opened)
            opened.connect((host, free_port()))
            assert read_error(opened) is None
            opened.send(b"who is there")
            arrived = asyncio.Event()
            asyncio.get_running_loop().add_reader(opened, arrived.set)
            await asyncio.wait_for(arrived.wait(), PATIENCE_SECONDS)
            asyncio.get_running_loop().remove_reader(opened)
            found = read_error(opened)
            assert found is not None
            quoted, error = found
            assert (quoted, error.told, error.by) == (b"who is there", Told.PORT, host)
            hear_errors(opened, on=False)
            assert read_error(opened) is None
