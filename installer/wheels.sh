# shellcheck shell=bash
# Installing from a folder of wheels that somebody gathered: it holds no manifest to check them against, and no weights.

is_wheels() { [ -d "$BUNDLE" ] && [ ! -e "$BUNDLE/medserver-bundle.json" ] && has_wheel '*'; }

has_wheel() { compgen -G "$BUNDLE/$1.whl" >/dev/null; }

do_wheels() {
    local wanted what=medserver
    wanted=$(python_of_wheels)
    if ! has_wheel 'medserver-*'; then
        [ -f "$HERE/pyproject.toml" ] || fail "There is no wheel of MedServer in $BUNDLE."
        what=--editable=$HERE
    fi
    enough_room
    say "Installing from the wheels in $BUNDLE, as they are: it holds no manifest to check them against"
    until_it_works "$wanted" install_wheels "$BUNDLE" "$what"
    say "wheels" >"$VENV/installed"
    next_steps
}

# Torch has a wheel for each Python. Nothing where it is not there; pip will miss it.
python_of_wheels() {
    local torch
    torch=$(compgen -G "$BUNDLE/torch-*.whl" | head -n 1) || return 0
    sed -n 's/.*-cp3\([0-9]*\)-.*/3.\1/p' <<<"${torch##*/}"
}

# MedServer itself once more by force: another build may have the same version.
install_wheels() {
    local wheels=$1 what=$2
    set -- "$what"
    if compgen -G "$wheels/bitsandbytes-*.whl" >/dev/null; then set -- "$@" bitsandbytes; fi
    if pip_offline "$wheels" "$@" && pip_offline "$wheels" --force-reinstall --no-deps "$what"; then return 0; fi
    if full; then fail "$(why_not)"; fi
    fail "The wheels could not be installed; pip's own words are above. $(about_wheels)"
}

# --isolated: from no other source that this machine's pip may know.
pip_offline() {
    local wheels=$1
    shift
    "$PYTHON" -m pip --isolated --disable-pip-version-check install --quiet --no-index --find-links "$wheels" "$@"
}

about_wheels() {
    local of_what="Every package that MedServer needs has to be there"
    if ! is_wheels; then of_what="They are for $(of_manifest platform) and Python $(of_manifest python)"; fi
    say "$of_what; this is Python $(version_of "$PYTHON") on $(uname -sm)."
}
