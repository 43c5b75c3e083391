#!/usr/bin/env bash
# Installs MedServer into .venv beside this file: from the network, or from a carried bundle. It asks on a terminal only.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$HERE
YES=no
WITH_SGLANG=yes
BUNDLE=

usage() {
    cat <<'EOT'
./install.sh                           install, repair or upgrade; on a terminal it asks for model, token and weights
./install.sh --yes                     the same without a question
./install.sh --offline BUNDLE          install what medserver bundle made (a folder or a .tar), without a network
./install.sh --offline DIR             the same from a folder of wheels
./install.sh --plan                    say what would be installed and why, and install nothing
./install.sh --uninstall               take everything away again, but the weights
./install.sh --serve MODEL [flags...]  install if needed, then serve: demo, 4, 27 or 27t, with medserver's flags
./install.sh --test                    install what the tests need, then run them all

--into DIR     with --offline: where it goes (default: beside this script)
--no-sglang    leave SGLang out where it could run
EOT
}

say() { printf '%s\n' "$*"; }
fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

main() {
    local action=install model=''
    # A bundle carries this script too, and is then what is to be installed.
    if [ -f "$HERE/medserver-bundle.json" ]; then
        BUNDLE=$HERE
        ROOT=$HERE/../medserver
    fi
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) action=usage ;;
            -y | --yes) YES=yes ;;
            --no-sglang) WITH_SGLANG=no ;;
            --offline)
                BUNDLE=$(value_of "$@") || exit 1
                shift
                ;;
            --into)
                ROOT=$(value_of "$@") || exit 1
                shift
                ;;
            --plan | --uninstall | --test) action=${1#--} ;;
            --serve)
                action=serve
                model=$(value_of "$@" 2>/dev/null) || fail "--serve needs a model: demo, 4, 27 or 27t"
                shift 2
                break
                ;;
            *)
                usage >&2
                fail "unknown argument: $1"
                ;;
        esac
        shift
    done
    trap 'printf "\ninstall.sh: Stopped. Run it again: it repairs what is half done.\n" >&2; exit 130' INT TERM
    if [ -n "$BUNDLE" ] && [ "$action" = install ]; then action=offline; fi
    if [ "$ROOT" != "$HERE" ]; then
        case $action in install | serve | test) fail "--into belongs to --offline: a checkout is installed where it lies." ;; esac
    fi
    enter_root "$action"
    "do_$action" "$model" "$@"
}

value_of() {
    if [ $# -lt 2 ] || [ -z "$2" ]; then fail "$1 needs a value"; fi
    say "$2"
}

enter_root() {
    if [ "$1" = offline ]; then
        case $BUNDLE in /*) ;; *) BUNDLE=$PWD/$BUNDLE ;; esac
        mkdir -p "$ROOT" || fail "$ROOT cannot be made. Name another folder with --into DIR."
    fi
    cd "$ROOT" 2>/dev/null || fail "There is no folder $ROOT."
    ROOT=$PWD
    VENV=$ROOT/.venv
    PYTHON=$VENV/bin/python
}

do_usage() { usage; }

do_test() {
    install_for quantize,test quickly
    run_tests
}

do_serve() {
    local model=$1
    shift
    install_for "$(extras)" quickly
    if [ "$model" != demo ]; then install_sglang; fi
    exec "$VENV/bin/medserver" -m "$model" "$@"
}

do_install() {
    install_for "$(extras)" thoroughly
    install_sglang
    configure
    next_steps
}

do_plan() {
    local found obstacle
    found=$(find_python) || found="none: Python $PYTHONS is needed"
    obstacle=$(sglang_obstacle)
    say "Python   $found"
    say "GPU      $(describe_gpu)"
    say "torch    $(torch_build)"
    say "SGLang   ${obstacle:-$SGLANG, in .venv-sglang}"
    say "Room     about $(room_needed) GB in $ROOT; $(($(free_mb) / 1000)) GB are free"
}

next_steps() {
    local model
    model=$(env_value MEDSERVER_MODEL)
    say "Installed in $ROOT. Next:"
    say "  .venv/bin/medserver doctor -m ${model:-4}    what is here, what would run and why"
    say "  .venv/bin/medserver -m ${model:-demo}         serve it, and open http://localhost:8000"
}

# shellcheck source=installer/machine.sh
. "$HERE/installer/machine.sh"
# shellcheck source=installer/packages.sh
. "$HERE/installer/packages.sh"
# shellcheck source=installer/bundle.sh
. "$HERE/installer/bundle.sh"
# shellcheck source=installer/wheels.sh
. "$HERE/installer/wheels.sh"
# shellcheck source=installer/person.sh
. "$HERE/installer/person.sh"
# shellcheck source=installer/removal.sh
. "$HERE/installer/removal.sh"
# shellcheck source=installer/tests.sh
. "$HERE/installer/tests.sh"

main "$@"
