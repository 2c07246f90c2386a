"""A branch: its users at work, and a beacon that does a user's transaction when asked: GET /try/BUSINESS.

GET /felt tells per business how many of the transactions of the last ten seconds failed. Arguments: the branch's
address, the beacon's port, how many users, the file with the authority of certificates.
"""

import http.client
import imaplib
import json
import random
import smtplib
import ssl
import sys
import threading
import time
from collections import deque
from collections.abc import Callable

import ldap3  # type: ignore[import-untyped]
from serving import serve  # type: ignore[import-not-found]

ADDRESS, PORT, USERS, AUTHORITY = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
PATIENCE = 2.5
SIZE = 6000
SLOW = 1.2
BASE = ADDRESS.rsplit(".", 1)[0]
CONTEXT = ssl.create_default_context(cafile=AUTHORITY)


def page(connection: http.client.HTTPConnection, path: str, expected: str) -> None:
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
    finally:
        connection.close()
    if answer.status != 200 or expected not in body:
        raise RuntimeError(f"status {answer.status}: {body[:100]}")


def shop(source: str) -> None:
    number = random.randrange(1000)
    connection = http.client.HTTPSConnection(
        "shop.corp.test", timeout=PATIENCE, context=CONTEXT, source_address=(source, 0)
    )
    page(connection, f"/order?id={number}&size={SIZE}", f"order {number} is placed")


def erp(source: str) -> None:
    connection = http.client.HTTPConnection("erp.corp.test", 8080, timeout=PATIENCE, source_address=(source, 0))
    page(connection, f"/page?id={random.randrange(1000)}&size={SIZE}", "page for")


def mail(source: str) -> None:
    with smtplib.SMTP("mail.corp.test", timeout=PATIENCE, source_address=(source, 0), local_hostname="user") as letter:
        letter.sendmail("zhang@corp.test", ["wang@corp.test"], "Subject: hello\r\n\r\nhello\r\n")
    box = imaplib.IMAP4("mail.corp.test", timeout=PATIENCE)
    box.login("wang", "mail-secret")
    box.select()
    box.logout()


def directory(source: str) -> None:
    server = ldap3.Server("directory.corp.test", connect_timeout=PATIENCE)
    connection = ldap3.Connection(
        server, "uid=zhang,ou=people,dc=corp,dc=test", "zhang-secret", receive_timeout=2, raise_exceptions=True,
        source_address=source,
    )  # fmt: skip
    if not connection.bind():
        raise RuntimeError("log-on refused")
    connection.unbind()


BUSINESSES: dict[str, Callable[[str], None]] = {"shop": shop, "erp": erp, "mail": mail, "directory": directory}
FELT: dict[str, deque[tuple[float, bool]]] = {name: deque(maxlen=200) for name in BUSINESSES}


def visit(name: str, source: str) -> tuple[bool, str]:
    began = time.monotonic()
    try:
        BUSINESSES[name](source)
    except Exception as error:  # noqa: BLE001  whatever it is, the user feels it
        return False, f"{type(error).__name__}: {error}"
    took = time.monotonic() - began
    return took < SLOW, f"{took:.3f} s"


def user(number: int) -> None:
    source = f"{BASE}.{11 + number}"
    while True:
        for name in BUSINESSES:
            good, _ = visit(name, source)
            FELT[name].append((time.monotonic(), good))
            time.sleep(random.uniform(0.4, 1.6))


def answer(path: str, query: dict[str, str]) -> tuple[int, str]:
    del query
    if path == "/felt":
        since = time.monotonic() - 10
        recent = {name: [good for at, good in list(seen) if at > since] for name, seen in FELT.items()}
        return 200, json.dumps({name: [seen.count(False), len(seen)] for name, seen in recent.items()})
    if path.startswith("/try/"):
        good, text = visit(path.removeprefix("/try/"), ADDRESS)
        return (200, f"good in {text}\n") if good else (502, f"bad: {text}\n")
    return 200, "beacon\n"


if __name__ == "__main__":
    for each in range(USERS):
        threading.Thread(target=user, args=(each,), daemon=True).start()
    serve(ADDRESS, PORT, answer)
