"""The warehouse: takes orders from the queue. GET /alive says whether it took its turn lately.

Arguments: its address, its port.
"""

import sys
import threading
import time

import amqp  # type: ignore[import-not-found]
from serving import serve  # type: ignore[import-not-found]

LIMIT = 200
TURN = [time.monotonic()]


def work() -> None:
    while True:
        try:
            with amqp.Connection(
                "mq1.corp.test:5672", connect_timeout=2, read_timeout=5, write_timeout=5
            ) as connection:
                channel = connection.channel()
                channel.queue_declare(
                    "orders", durable=True, auto_delete=False,
                    arguments={"x-max-length": LIMIT, "x-overflow": "reject-publish"},
                )  # fmt: skip
                while True:
                    message = channel.basic_get("orders", no_ack=True)
                    TURN[0] = time.monotonic()
                    if message is None:
                        time.sleep(0.1)
        except Exception as error:  # noqa: BLE001  it tries again, whatever went wrong
            TURN[0] = time.monotonic()  # it is not to blame for the queue
            print(error, file=sys.stderr)
            time.sleep(0.5)


def page(path: str, query: dict[str, str]) -> tuple[int, str]:
    del path, query
    late = time.monotonic() - TURN[0]
    return (200, "the warehouse is alive\n") if late < 8 else (500, f"no turn for {late:.0f} s\n")


if __name__ == "__main__":
    threading.Thread(target=work, daemon=True).start()
    serve(sys.argv[1], int(sys.argv[2]), page)
