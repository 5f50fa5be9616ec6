#!/bin/sh
# Installs Furong into a virtual environment: `setup.sh .venv`. Brings a browser for the tests: `setup.sh --browser`.
# Everything is named with its hash in requirements.lock; no address is named here: pip asks the registry it is set up for.
set -eu
PYTHON="${PYTHON:-python3}"

say() { printf '%s\n' "$*"; }
fail() { say "setup: $*" >&2; exit 1; }
may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }
installed_by_apt() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -qq "$@" >/dev/null 2>&1 || { apt-get update -qq >/dev/null 2>&1 && apt-get install -y -qq "$@" >/dev/null; }
}

if [ "${1:-}" = "--browser" ]; then
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null 2>&1 && exit 0
    done
    if may_install && installed_by_apt chromium fonts-noto-cjk; then exit 0; fi
    say ""
    say "!! No Chromium here, and it cannot be installed by this user: THE BROWSER TESTS WILL BE SKIPPED."
    say "!! Install the package chromium (Debian, Ubuntu) to run them."
    say ""
    exit 0
fi

VENV="${1:-.venv}"
command -v "$PYTHON" >/dev/null 2>&1 || fail "$PYTHON was not found; install Python 3.11 or newer."
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$PYTHON" --version) is too old; Furong needs 3.11 or newer (make PYTHON=python3.12 …)."

if [ ! -x "$VENV/bin/python" ]; then
    if ! "$PYTHON" -c 'import ensurepip' >/dev/null 2>&1; then
        may_install && installed_by_apt python3-venv ||
            fail "Python's venv is missing; install it (Debian, Ubuntu: apt install python3-venv) and try again."
    fi
    say "Making $VENV …"
    "$PYTHON" -m venv "$VENV"
fi
count=$(grep -cE '^[a-zA-Z0-9._-]+(\[[^]]*\])?==' requirements.lock)
say "Installing $count packages from requirements.lock (hashes checked) …"
PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
export PIP_DISABLE_PIP_VERSION_CHECK PIP_ROOT_USER_ACTION
log="$VENV/install.log"
bar() { awk -v total="$count" '
    /^(Collecting|Requirement already)/ { n++; done = int(n * 30 / total); if (done > 30) done = 30
        bar = substr("##############################", 1, done)
        printf "\r  [%-30s] %d of %d", bar, n, total; fflush() }
    /^Installing collected/ { printf "\r  [##############################] unpacking %d    ", total; fflush() }
    END { printf "\n" }'; }
show=cat; [ -t 1 ] && show=bar
if [ "$show" = bar ]; then
    { "$VENV/bin/python" -m pip install --progress-bar off --require-hashes -r requirements.lock 2>"$log.err" ||
        touch "$VENV/.failed"; } | tee "$log" | bar
else
    "$VENV/bin/python" -m pip install --quiet --require-hashes -r requirements.lock 2>"$log.err" || touch "$VENV/.failed"
fi
if [ -e "$VENV/.failed" ]; then
    rm -f "$VENV/.failed"
    tail -n 8 "$log.err" >&2
    fail "the packages could not be installed (see above). Nothing else was changed; run the same command again."
fi
"$VENV/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable . ||
    fail "Furong itself could not be installed (see above)."
say "Ready."
