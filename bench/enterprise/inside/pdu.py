"""A power distribution unit: GET /rack-a says "on" while there is no file off-a. Arguments: address, port, folder."""

import sys
from pathlib import Path

from serving import serve  # type: ignore[import-not-found]


def page(path: str, query: dict[str, str]) -> tuple[int, str]:
    del query
    rack = path.removeprefix("/rack-")
    return (503, "off\n") if (Path(sys.argv[3]) / f"off-{rack}").exists() else (200, "on\n")


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), page)
