# shellcheck shell=bash
# Running all tests.

run_tests() {
    local failed=0
    ensure_chromium
    if command -v node >/dev/null 2>&1; then
        node --test tests/js/*.test.js || failed=1
    else
        say "SKIPPED: Node.js was not found, so the tests of the page's modules did not run"
    fi
    "$PYTHON" -m ruff check . || failed=1
    # Two files at a time, in our own order (tests/conftest.py): browsers and servers mostly wait. A test of real processes
    # may miss once on a machine that others use too, so it has a second try, which the summary names; what fails twice is
    # wrong.
    "$PYTHON" -m pytest -n 2 --dist loadfile --no-loadscope-reorder --reruns 1 -rRs || failed=1
    return $failed
}

# Only the browser tests need it, and they skip themselves, out loud, where it is missing.
ensure_chromium() {
    if command -v chromium >/dev/null 2>&1 || ! may_apt; then return 0; fi
    say "Installing Debian's Chromium for the browser tests"
    apt_install chromium || say "Chromium could not be installed; the browser tests will be skipped"
}
