# shellcheck shell=bash
# Installing what medserver bundle made, where there is no network.

do_offline() {
    local wheels version python model
    if is_wheels; then
        do_wheels
        return
    fi
    check_bundle
    read -r version python model <<<"$(about_bundle)"
    if [ "$python" = None ]; then
        fail "This bundle holds weights only. Where MedServer is installed, medserver unpack $BUNDLE brings them in."
    fi
    enough_room
    wheels=$(wheels_of_bundle)
    say "Installing MedServer $version from the bundle"
    until_it_works "$python" install_wheels "$wheels" "medserver==$version"
    rm -rf "$ROOT/.wheels"
    put_env HF_HUB_OFFLINE 1
    if [ -z "$(env_value HF_HOME)" ]; then put_env HF_HOME "'$ROOT/weights'"; fi
    put_env MEDSERVER_MODEL "$model"
    "$VENV/bin/medserver" unpack "$BUNDLE" || fail "The weights could not be brought in; the reason is above."
    say "bundle of $version" >"$VENV/installed"
    next_steps
}

# With the program of this checkout; a script that came inside a bundle has only the bundle's own wheel to read it with.
check_bundle() {
    local found source=$HERE
    found=$(find_python) || fail "Python $PYTHONS is needed and was not found"
    [ -e "$BUNDLE" ] || fail "There is no bundle $BUNDLE."
    if [ -d "$BUNDLE" ] && [ ! -e "$BUNDLE/medserver-bundle.json" ]; then
        fail "$BUNDLE holds neither a medserver-bundle.json nor wheels, so there is nothing to install."
    fi
    if [ ! -d "$source/medserver" ]; then source=$(ls "$HERE"/wheels/medserver-*.whl); fi
    (cd / && PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$source "$found" -m medserver verify "$BUNDLE") ||
        fail "This bundle is not installed: it is not as it was packed. What is wrong, and what to do, is said above."
}

# Its version of MedServer, the Python of its wheels, its model.
about_bundle() { of_manifest medserver python model; }

of_manifest() {
    "$(find_python)" - "$BUNDLE" "$@" <<'EOT'
import json, os, sys, tarfile
bundle, *wanted = sys.argv[1:]
if os.path.isdir(bundle):
    text = open(os.path.join(bundle, "medserver-bundle.json"), "rb").read()
else:
    with tarfile.open(bundle, "r:") as tar:
        text = tar.extractfile(tar.next()).read()
said = json.loads(text)
print(*(said[name] for name in wanted))
EOT
}

wheels_of_bundle() {
    if [ -d "$BUNDLE" ]; then
        say "$BUNDLE/wheels"
        return
    fi
    rm -rf "$ROOT/.wheels"
    mkdir "$ROOT/.wheels"
    tar -xf "$BUNDLE" -C "$ROOT/.wheels" --strip-components 2 medserver-bundle/wheels ||
        fail "The wheels could not be unpacked to $ROOT. Is the disk full?"
    say "$ROOT/.wheels"
}
