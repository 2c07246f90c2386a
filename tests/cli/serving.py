"""btimctl against a served API over the fakes."""

import asyncio
from pathlib import Path

from btimd.cli.btimctl import main
from tests.api.conftest import SECRETS, Served


async def asked(served: Served, caller: str, *arguments: str) -> int:
    """Return the exit status of btimctl, run by a caller of the tokens file."""
    token = Path(served.directory) / f"{caller}.token"
    token.touch(mode=0o600)
    token.write_text(SECRETS[caller])
    before = [one for one in arguments if one == "--json"]
    rest = [one for one in arguments if one != "--json"]
    given = ["--server", served.server, "--token-file", str(token), *before, *rest]
    return await asyncio.to_thread(main, given)
