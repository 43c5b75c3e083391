#!/usr/bin/env bash
# Installs MedServer into .venv beside this file and, if asked, serves a model or runs the tests. Asks nothing.
set -euo pipefail

TORCH=2.13.0
TORCH_CPU_INDEX=https://download.pytorch.org/whl/cpu

cd "$(dirname "${BASH_SOURCE[0]}")"
VENV=$PWD/.venv
PYTHON=$VENV/bin/python

usage() {
    cat <<'EOT'
./install.sh                           install into .venv
./install.sh --serve MODEL [flags...]  install if needed, then serve: demo, 4, 27 or 27t, with medserver's flags
./install.sh --test                    install what the tests need, then run them all
EOT
}

say() { printf '%s\n' "$*"; }
fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

main() {
    case ${1:-} in
        -h | --help) usage ;;
        --test)
            install_for quantize,test
            run_tests
            ;;
        --serve)
            [ $# -ge 2 ] || fail "--serve needs a model: demo, 4, 27 or 27t"
            local model=$2
            shift 2
            install_for "$(extras)"
            exec "$VENV/bin/medserver" -m "$model" "$@"
            ;;
        "")
            install_for "$(extras)"
            say "Installed. Try: .venv/bin/medserver -m demo"
            ;;
        *)
            usage >&2
            fail "unknown argument: $1"
            ;;
    esac
}

# bitsandbytes serves -q; without an NVIDIA GPU few want its size.
extras() { if has_nvidia; then say quantize; fi; }

has_nvidia() { command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | grep -q GPU; }

# The stamp names everything that decides what is installed, so that a second run has nothing to do.
install_for() {
    local extras=$1 stamp
    make_venv
    stamp="$(cat pyproject.toml constraints.txt install.sh medserver/__init__.py | cksum) extras=$extras at=$PWD"
    if [ "$(cat "$VENV/installed" 2>/dev/null)" = "$stamp" ]; then return 0; fi
    say "Installing into .venv (a few minutes the first time)"
    install_torch
    pip_install -c constraints.txt -e ".${extras:+[$extras]}"
    say "$stamp" >"$VENV/installed"
}

make_venv() {
    if [ -x "$PYTHON" ] && "$PYTHON" -c 'import pip' 2>/dev/null; then return 0; fi
    local found
    found=$(find_python) || fail "Python 3.10 or newer is needed and was not found"
    if "$found" -m venv --clear "$VENV" >/dev/null; then return 0; fi
    # Debian and Ubuntu keep ensurepip in a package of its own.
    if may_apt && apt_install python3-venv && "$found" -m venv --clear "$VENV"; then return 0; fi
    fail "$found cannot make a virtual environment (on Debian and Ubuntu: sudo apt-get install python3-venv)"
}

may_apt() { command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; }

apt_install() {
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11 python3.10; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            say "$candidate"
            return 0
        fi
    done
    return 1
}

# On Linux the plain torch brings gigabytes of CUDA libraries, of no use without an NVIDIA GPU. The CPU index is
# one source among those pip knows already: where it cannot be reached, another may have the same build.
install_torch() {
    if [ "$(uname -s)" != Linux ] || has_nvidia; then
        # A CPU build from before there was a GPU would satisfy pip, and run the model on the CPU without a word.
        if "$PYTHON" -m pip list --format=freeze 2>/dev/null | grep -q '^torch==.*+cpu'; then
            "$PYTHON" -m pip uninstall --quiet -y torch
        fi
        pip_install "torch==$TORCH"
        return
    fi
    pip_install --no-deps --retries 1 --timeout 20 --extra-index-url "$TORCH_CPU_INDEX" "torch==$TORCH+cpu" ||
        fail "no CPU build of torch $TORCH was found (is $TORCH_CPU_INDEX reachable, or a proxy set in pip's configuration?)"
}

pip_install() { "$PYTHON" -m pip install --quiet --disable-pip-version-check "$@"; }

run_tests() {
    local failed=0
    ensure_chromium
    if command -v node >/dev/null 2>&1; then
        node --test tests/js/*.test.js || failed=1
    else
        say "SKIPPED: Node.js was not found, so the tests of the page's modules did not run"
    fi
    "$PYTHON" -m ruff check . || failed=1
    "$PYTHON" -m pytest || failed=1
    return $failed
}

# Only the browser tests need it, and they skip themselves, out loud, where it is missing.
ensure_chromium() {
    if command -v chromium >/dev/null 2>&1 || ! may_apt; then return 0; fi
    say "Installing Debian's Chromium for the browser tests"
    apt_install chromium || say "Chromium could not be installed; the browser tests will be skipped"
}

main "$@"
