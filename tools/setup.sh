#!/bin/sh
# Makes .venv with btimd in it: `setup.sh run` for running, `setup.sh dev` for tests too. Does nothing when current.
set -eu
cd "$(dirname "$0")/.."
what=${1:-run}
python=${PYTHON:-}
if [ -z "$python" ]; then
  for candidate in python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; then
      python=$candidate
      break
    fi
  done
fi
if [ -z "$python" ]; then
  echo "btimd needs Python 3.11, 3.12 or 3.13; none was found. On Debian or Ubuntu run: apt-get install python3" >&2
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
  package=$("$python" -c 'import sys; print(f"python3.{sys.version_info[1]}-venv")')
  if [ "$(id -u)" = 0 ]; then
    echo "-- installing $package"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends "$package"
  else
    echo "Python's venv module is missing. Run this once, then again what you ran: sudo apt-get install $package" >&2
    exit 1
  fi
fi
stamp=.venv/.btimd-$what
sum=$(cat pyproject.toml constraints.txt tools/setup.sh | cksum)
for done in "$stamp" .venv/.btimd-dev; do  # what tests need includes what running needs
  if [ -f "$done" ] && [ "$(cat "$done")" = "$sum" ]; then
    exit 0
  fi
done
[ -x .venv/bin/python ] || { echo "-- making .venv with $("$python" --version)"; "$python" -m venv .venv; }
if [ "$what" = dev ]; then target='.[dev]'; else target='.'; fi
echo "-- installing btimd and what it needs into .venv (a minute or two on a slow line)"
.venv/bin/python -m pip install --disable-pip-version-check --progress-bar on -q -c constraints.txt -e "$target"
echo "$sum" >"$stamp"
echo "-- .venv is ready"
