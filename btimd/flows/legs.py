"""Which leg of a connection is slow: the network of the client, the network of the server, or the server itself."""

from dataclasses import dataclass
from typing import Final, Literal

from btimd.model.quality import QualityRow

CLIENT_NETWORK: Final = "client network"
SERVER_NETWORK: Final = "server network"
SERVER: Final = "server"
FEWEST_SAMPLES: Final = 5
"""With fewer durations of any kind nothing is said."""
SHORTEST_TURN_SECONDS: Final = 0.02
"""Nobody waits for a turn that is shorter, wherever its time goes."""
SMALLEST_SHARE: Final = 0.5
"""A leg is called slow when it takes more than this share of a turn."""


@dataclass(frozen=True, slots=True)
class Leg:
    """The leg that most of a turn's time goes to. turn_seconds: a median turn, from a user's question to the answer."""

    name: Literal["client network", "server network", "server"]
    share: float
    turn_seconds: float


def slow_leg(row: QualityRow) -> Leg | None:
    """Return the leg that is slow; None where none is, or where too little was measured to say.

    A turn takes the client's half of the round trip, the server's half, and what the server itself needs. All are
    medians of what was seen at the point of capture: the two halves of the handshakes, and the time from the end of a
    request to the first octet of its answer, less the server's half, which the request and its answer travel too.
    """
    client, server, response = row.client_leg, row.server_leg, row.response
    if min(client.count, server.count, response.count) < FEWEST_SAMPLES:
        return None
    near, far = client.p50_seconds or 0.0, server.p50_seconds or 0.0
    itself = max((response.p50_seconds or 0.0) - far, 0.0)
    turn = near + far + itself
    if turn < SHORTEST_TURN_SECONDS:
        return None
    if near > turn * SMALLEST_SHARE:
        return Leg(CLIENT_NETWORK, near / turn, turn)
    if far > turn * SMALLEST_SHARE:
        return Leg(SERVER_NETWORK, far / turn, turn)
    return Leg(SERVER, itself / turn, turn) if itself > turn * SMALLEST_SHARE else None
