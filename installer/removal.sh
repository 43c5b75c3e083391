# shellcheck shell=bash
# Taking everything away again, but the weights.

do_uninstall() {
    local hub state logs
    if [ "$ROOT" != "$HERE" ] && [ ! -f "$VENV/installed" ]; then fail "Nothing of MedServer's was found in $ROOT."; fi
    # Read while .env is there.
    hub=$(setting HF_HOME "${XDG_CACHE_HOME:-$HOME/.cache}/huggingface")/hub
    state=$(setting MEDSERVER_STATE_DIR "$(usual_state)")
    logs=$(setting MEDSERVER_AUDIT_LOG "" && setting MEDSERVER_LOG_FILE "")
    if interactive; then
        case $(ask "Remove MedServer's environments and .env from $ROOT, and its keys and pairings from $state? The weights stay." n) in
            y* | Y*) ;;
            *) return 0 ;;
        esac
    fi
    remove_service
    rm -rf .venv .venv-sglang .wheels .env .env.new
    remove_state "$state"
    if [ "$ROOT" = "$HERE" ]; then remove_traces; fi
    say "MedServer is removed from $ROOT."
    say_what_stays "$hub" "$logs"
}

say_what_stays() {
    local one
    for one in "$ROOT/weights" "$1"/models--google--medgemma-*; do
        if [ -d "$one" ]; then say "Weights stay in $one ($(du -sh "$one" | cut -f 1))."; fi
    done
    while read -r one; do
        if [ -f "$one" ]; then say "The log $one stays, since it may have to be kept."; fi
    done <<<"$2"
}

# As the server finds it: the environment, then .env, then what is usual.
setting() {
    local value=${!1:-}
    if [ -z "$value" ]; then value=$(env_value "$1"); fi
    say "${value:-$2}"
}

usual_state() {
    if [ "$(uname -s)" = Darwin ]; then
        say "$HOME/Library/Application Support/medserver"
    else
        say "${XDG_STATE_HOME:-$HOME/.local/state}/medserver"
    fi
}

# Its own files by their names, since a person may have named a folder that holds others too.
remove_state() {
    rm -rf "$1/access.db" "$1/access.db-journal" "$1/tls"
    rmdir "$1" 2>/dev/null || :
}

# One that was installed from elsewhere is left alone.
remove_service() {
    local file
    for file in /etc/systemd/system/medserver.service /Library/LaunchDaemons/org.medserver.plist; do
        if grep -qsF "$VENV/" "$file"; then
            "$VENV/bin/medserver" service uninstall --purge || fail "Its service could not be removed. Run this as the administrator."
        fi
    done
}

# What running from a checkout leaves in it.
remove_traces() {
    rm -rf medserver.egg-info .pytest_cache .ruff_cache .hypothesis
    find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
}
