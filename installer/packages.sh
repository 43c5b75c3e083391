# shellcheck shell=bash
# The environments and what goes into them.

# The stamp names everything that decides what is installed, so that a second run has nothing to do. `thoroughly`
# also looks whether what is there still works.
install_for() {
    local extras=$1 how=$2 stamp
    stamp="$(cd "$HERE" && cat pyproject.toml constraints.txt installer/*.sh medserver/__init__.py | cksum)"
    stamp="$stamp extras=$extras torch=$(torch_build) at=$ROOT"
    if [ "$(cat "$VENV/installed" 2>/dev/null)" = "$stamp" ] && { [ "$how" = quickly ] || works; }; then return 0; fi
    enough_room
    say "Installing into .venv (a few minutes the first time)"
    until_it_works "" install_packages "$extras"
    if [ -f .env ]; then chmod 600 .env; fi
    say "$stamp" >"$VENV/installed"
}

install_packages() {
    install_torch
    pip_install -c constraints.txt -e ".${1:+[$1]}" || fail "$(why_not)"
}

# Run what installs, with a Python of version `$1`; where the result does not start, once more into a new environment.
until_it_works() {
    local wanted=$1
    shift
    make_venv "" "$wanted"
    rm -f "$VENV/installed"
    "$@"
    if works; then return 0; fi
    say "Something in .venv is broken; making it anew"
    make_venv anew "$wanted"
    "$@"
    works || fail "MedServer was installed but does not start: .venv/bin/python -c 'import torch, transformers' says why."
}

# -I: what lies in this folder is not what is installed.
works() { "$PYTHON" -I -c 'import medserver.cli, torch, transformers' >/dev/null 2>&1; }

enough_room() {
    if [ -d "$VENV" ] || [ "$(free_mb)" -ge $(($(room_needed) * 1000)) ]; then return 0; fi
    fail "About $(room_needed) GB are needed in $ROOT and $(free_mb) MB are free. Free some, or install in another place."
}

# An environment of its own; one that is broken, too old or of another version than `$2` is made anew.
make_venv() {
    local how=${1:-} wanted=${2:-} found
    if [ -z "$how" ] && is_python "$PYTHON" "${wanted:-3.10}" && "$PYTHON" -c 'import pip' 2>/dev/null; then
        if [ -z "$wanted" ] || [ "$(version_of "$PYTHON")" = "$wanted" ]; then return 0; fi
    fi
    found=$(find_exactly "$wanted") || fail "Python ${wanted:-$PYTHONS} is needed and was not found. Install it and run this again."
    if "$found" -m venv --clear "$VENV" >/dev/null; then return 0; fi
    # Debian and Ubuntu keep ensurepip in a package of its own.
    if may_apt && apt_install "python$(version_of "$found")-venv" && "$found" -m venv --clear "$VENV"; then return 0; fi
    if full; then fail "$(why_not)"; fi
    fail "$found cannot make a virtual environment (on Debian and Ubuntu: sudo apt-get install python3-venv)"
}

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

find_exactly() {
    local candidate
    if [ -z "$1" ]; then
        find_python
        return
    fi
    for candidate in "python$1" python3 python; do
        if [ "$(version_of "$candidate" 2>/dev/null)" = "$1" ]; then
            say "$candidate"
            return 0
        fi
    done
    return 1
}

may_apt() { [ -z "$BUNDLE" ] && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; }

apt_install() {
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >/dev/null 2>&1
}

# The index of a build is one source among those pip knows already: where it cannot be reached, another may have it.
install_torch() {
    local build
    build=$(torch_build)
    remove_other_torch "$build"
    case $build in
        *+*)
            pip_install --no-deps --retries 1 --timeout 20 --extra-index-url "$TORCH_INDEX/${build#*+}" "torch==$build" ||
                fail "No build of torch $build was found (is $TORCH_INDEX reachable, or a proxy set in pip's configuration?). $(why_not)"
            ;;
        *) pip_install "torch==$build" || fail "$(why_not)" ;;
    esac
}

# A build for CPUs from before there was a GPU would satisfy pip, and run the model on the CPU without a word.
remove_other_torch() {
    local here
    here=$("$PYTHON" -m pip list --format=freeze 2>/dev/null | sed -n 's/^torch==//p')
    case $here in
        "" | "$1") ;;
        *+*) "$PYTHON" -m pip uninstall --quiet -y torch ;;
    esac
}

pip_install() { "$PYTHON" -m pip install --quiet --disable-pip-version-check "$@"; }

# .venv may be on a disk of its own.
full() { [ "$(free_mb)" -lt 100 ] || { [ -d "$VENV" ] && [ "$(free_mb "$VENV")" -lt 20 ]; }; }

why_not() {
    if full; then
        say "The disk is full. Free some and run this again: it repairs what is half done."
    else
        say "pip's own words are above. Behind a proxy set HTTPS_PROXY; without a network use --offline BUNDLE. Then run this again."
    fi
}

# In an environment of its own, since it insists on other versions. It is a gain and no need: Transformers runs without.
install_sglang() {
    local own=$ROOT/.venv-sglang python
    if [ -n "$(sglang_obstacle)" ] || [ "$(cat "$own/installed" 2>/dev/null)" = "$SGLANG" ]; then return 0; fi
    say "Installing SGLang $SGLANG into .venv-sglang (gigabytes, once)"
    python=$(find_python "$SGLANG_PYTHON")
    if "$python" -m venv --clear "$own" >/dev/null &&
        "$own/bin/python" -m pip install --quiet --disable-pip-version-check "sglang==$SGLANG" &&
        "$own/bin/python" -c 'import sglang'; then
        say "$SGLANG" >"$own/installed"
        return 0
    fi
    rm -rf "$own"
    say "SGLang was not installed; pip's own words are above. MedServer runs with Transformers until ./install.sh brings it."
}
