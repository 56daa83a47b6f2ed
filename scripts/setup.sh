#!/bin/sh
# Creates .venv with Python 3.11 or newer and installs this tree into it, with the exact versions of
# constraints.txt.  Safe to repeat.  PYTHON=... names another interpreter to create it with.
set -eu
cd "$(dirname "$0")/.."

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.14; do
        if command -v "$candidate" >/dev/null && new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "setup: Python 3.11 or newer is needed; python3 here is:" \
        "$(python3 --version 2>&1 || true)." \
        "Install one, or name it: make setup PYTHON=/path/to/python3.11" >&2
    return 1
}

# Debian splits ensurepip off into a package of its own, and without it `python3 -m venv` fails.
require_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return
    package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        echo "setup: installing $package"
        apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$package"
    else
        echo "setup: $1 cannot create virtual environments; this installs what is missing:" >&2
        echo "    sudo apt-get install $package" >&2
        return 1
    fi
}

if ! { [ -x .venv/bin/python ] && new_enough .venv/bin/python \
    && .venv/bin/python -m pip --version >/dev/null 2>&1; }; then
    python=$(find_python)
    require_venv "$python"
    "$python" -m venv --clear .venv
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
.venv/bin/python -m pip install --quiet --only-binary :all: -c constraints.txt -e '.[dev]'
touch .venv/.installed
