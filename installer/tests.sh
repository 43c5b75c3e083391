# shellcheck shell=bash
# Running all tests.

run_tests() {
    local failed=0
    ensure chromium chromium "the browser tests"
    # Its check is the server under another name, and this package starts no service.
    ensure redis-check-rdb redis-tools "the tests of a rate limit over several hosts"
    if command -v node >/dev/null 2>&1; then
        node --test tests/js/*.test.js || failed=1
    else
        say "SKIPPED: Node.js was not found, so the tests of the page's modules did not run"
    fi
    "$PYTHON" -m ruff check . || failed=1
    # Three files at a time, in our own order (tests/conftest.py): browsers and servers mostly wait. A test of real
    # processes may miss once on a machine that others use too, so it has a second try, which the summary names; what
    # fails twice is wrong.
    "$PYTHON" -m pytest -n 3 --dist loadfile --no-loadscope-reorder --reruns 1 -rRs || failed=1
    return $failed
}

# ensure COMMAND PACKAGE USE: only some tests need it, and they skip themselves, out loud, where it is missing.
ensure() {
    if command -v "$1" >/dev/null 2>&1 || ! may_apt; then return 0; fi
    say "Installing Debian's $2 for $3"
    apt_install "$2" || say "$2 could not be installed; $3 will be skipped"
}
