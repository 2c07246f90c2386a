"""The shop: GET /order?id=N&size=OCTETS is a transaction over Redis, PostgreSQL and RabbitMQ. /alive is itself alone.

Arguments: its address, its port, the file with its mood.
"""

import sys
import time
from pathlib import Path

import amqp  # type: ignore[import-not-found]
import psycopg2  # type: ignore[import-untyped]
import redis  # type: ignore[import-not-found]
from serving import Moods, Pool, serve  # type: ignore[import-not-found]

PATIENCE = 1.5
BODY = "x" * 3000


def database() -> object:
    made = psycopg2.connect(
        host="db1.corp.test", dbname="shop", user="shop", connect_timeout=2, options="-c statement_timeout=1500",
        tcp_user_timeout=1500,
    )  # fmt: skip
    made.autocommit = True
    return made


def queue() -> object:
    made = amqp.Connection(
        "mq1.corp.test:5672", "guest", "guest", connect_timeout=PATIENCE, read_timeout=PATIENCE,
        write_timeout=PATIENCE, confirm_publish=True,
    )  # fmt: skip
    made.connect()
    return made


SESSIONS = redis.Redis(host="cache1.corp.test", socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
ORDERS, MESSAGES = Pool(database), Pool(queue)


def store(number: int) -> str:
    def work(connection: object) -> str:
        with connection.cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute("INSERT INTO orders (item, body) VALUES (%s, %s)", (number, BODY))
            cursor.execute("SELECT content FROM items WHERE id = %s", (number % 100,))
            return str(cursor.fetchone()[0])

    return str(ORDERS.use(work))


def announce(number: int) -> None:
    def work(connection: object) -> None:
        channel = connection.channel()  # type: ignore[attr-defined]
        message = amqp.Message(f"order {number}")
        channel.basic_publish_confirm(message, routing_key="orders", timeout=PATIENCE, confirm_timeout=PATIENCE)
        channel.close()

    MESSAGES.use(work)


def main() -> None:
    moods = Moods(Path(sys.argv[3]))

    def page(path: str, query: dict[str, str]) -> tuple[int, str]:
        mood = moods.now()
        time.sleep(mood.get("slow", 0.0))
        if mood.get("error"):
            return 500, "java.lang.NullPointerException at com.example.Orders.load(Orders.java:212)"
        if path == "/alive":
            return 200, "shop is alive\n"
        if mood.get("wrong"):
            return 200, "<h1>It works!</h1>\n"
        number = int(query.get("id", "1"))
        SESSIONS.incr(f"visits:{number % 100}")
        content = store(number)
        announce(number)
        return 200, f"order {number} is placed: {content}\n" + "-" * int(query.get("size", "0"))

    serve(sys.argv[1], int(sys.argv[2]), page)


if __name__ == "__main__":
    main()
