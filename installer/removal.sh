# shellcheck shell=bash
# Taking everything away again, but the weights.

do_uninstall() {
    if [ "$ROOT" != "$HERE" ] && [ ! -f "$VENV/installed" ]; then fail "Nothing of MedServer's was found in $ROOT."; fi
    if interactive; then
        case $(ask "Remove MedServer's environments and .env from $ROOT? The weights stay." n) in y* | Y*) ;; *) return 0 ;; esac
    fi
    remove_service
    rm -rf .venv .venv-sglang .wheels .env .env.new
    if [ "$ROOT" = "$HERE" ]; then remove_traces; fi
    say "MedServer is removed from $ROOT."
    for folder in "$ROOT/weights" "${HF_HOME:-$HOME/.cache/huggingface}"/hub/models--google--medgemma-*; do
        if [ -d "$folder" ]; then say "Weights stay in $folder ($(du -sh "$folder" | cut -f 1))."; fi
    done
}

# One that was installed from elsewhere is left alone.
remove_service() {
    local file
    for file in /etc/systemd/system/medserver.service /Library/LaunchDaemons/org.medserver.plist; do
        if grep -qsF "$VENV/" "$file"; then
            "$VENV/bin/medserver" service uninstall || fail "Its service could not be removed. Run this as the administrator."
        fi
    done
}

# What running from a checkout leaves in it.
remove_traces() {
    rm -rf medserver.egg-info .pytest_cache .ruff_cache .hypothesis
    find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
}
