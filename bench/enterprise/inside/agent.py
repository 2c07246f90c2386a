"""An agent that looks at the network from its host: GET /reach?host=H&port=P is good where H answers at all.

A refusal by H itself counts as an answer: the way to it is free. Arguments: its address, its port.
"""

import socket
import sys

from serving import serve  # type: ignore[import-not-found]


def page(path: str, query: dict[str, str]) -> tuple[int, str]:
    if path != "/reach":
        return 200, "agent\n"
    try:
        with socket.create_connection((query["host"], int(query["port"])), timeout=0.8):
            return 200, "reached\n"
    except ConnectionRefusedError:
        return 200, "reached, refused\n"
    except OSError as error:
        return 504, f"not reached: {error}\n"


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), page)
