"""The ERP: GET /page?id=N logs a user on at the directory and reads PostgreSQL. /alive is itself alone.

Arguments: its address, its port, the file with its mood.
"""

import sys
import time
from pathlib import Path

import ldap3  # type: ignore[import-untyped]
import psycopg2  # type: ignore[import-untyped]
from serving import Moods, Pool, serve  # type: ignore[import-not-found]

PATIENCE = 1.5


def database() -> object:
    made = psycopg2.connect(
        host="db1.corp.test", dbname="erp", user="erp", connect_timeout=2, options="-c statement_timeout=1500",
        tcp_user_timeout=1500,
    )  # fmt: skip
    made.autocommit = True
    return made


ROWS = Pool(database)


def log_on() -> str:
    server = ldap3.Server("ldap1.corp.test", connect_timeout=PATIENCE)
    connection = ldap3.Connection(
        server, "cn=erp,ou=services,dc=corp,dc=test", "erp-secret", receive_timeout=2, raise_exceptions=True
    )
    if not connection.bind():
        raise RuntimeError("the directory refuses the service account")
    connection.search("ou=people,dc=corp,dc=test", "(uid=zhang)", attributes=["cn"])
    name = str(connection.entries[0].cn)
    connection.unbind()
    return name


def row(number: int) -> str:
    def work(connection: object) -> str:
        with connection.cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute("SELECT content FROM items WHERE id = %s", (number % 100,))
            return str(cursor.fetchone()[0])

    return str(ROWS.use(work))


def main() -> None:
    moods = Moods(Path(sys.argv[3]))

    def page(path: str, query: dict[str, str]) -> tuple[int, str]:
        mood = moods.now()
        time.sleep(mood.get("slow", 0.0))
        if mood.get("error"):
            return 500, "java.lang.NullPointerException at com.example.Ledger.load(Ledger.java:88)"
        if path == "/alive":
            return 200, "erp is alive\n"
        if mood.get("wrong"):
            return 200, "<h1>It works!</h1>\n"
        name = log_on()
        content = row(int(query.get("id", "1")))
        return 200, f"page for {name}: {content}\n" + "-" * int(query.get("size", "0"))

    serve(sys.argv[1], int(sys.argv[2]), page)


if __name__ == "__main__":
    main()
