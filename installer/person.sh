# shellcheck shell=bash
# What the person decides, on a terminal, and where it is kept: .env.

interactive() { [ "$YES" = no ] && [ -t 0 ] && [ -t 1 ]; }

is_model() { case $1 in demo | 4 | 27 | 27t) return 0 ;; *) return 1 ;; esac; }

configure() {
    local model
    interactive || return 0
    until model=$(ask "Which model will this machine serve: demo, 4, 27, 27t?" "$(likely_model)") && is_model "$model"; do
        say "There is no model $model."
    done
    put_env MEDSERVER_MODEL "$model"
    if [ "$model" = demo ]; then return 0; fi
    ask_token
    offer_weights "$model"
}

ask() {
    local answer
    read -r -p "$1 [$2] " answer
    say "${answer:-$2}"
}

likely_model() {
    local chosen memory
    chosen=$(env_value MEDSERVER_MODEL)
    if is_model "$chosen"; then
        say "$chosen"
        return
    fi
    memory=$(has_nvidia && ask_nvidia memory.total | sort -n | head -n 1) || memory=0
    if [ "${memory:-0}" -ge 14000 ]; then say 4; else say demo; fi
}

# Never echoed and never an argument of a program: both could be read by others.
ask_token() {
    local token
    if [ -n "${HF_TOKEN:-}$(env_value HF_TOKEN)" ]; then return 0; fi
    say "MedGemma is gated: accept its terms on its page at huggingface.co and make a token that may read."
    read -r -s -p "The token (not shown; empty to do it later): " token
    say ""
    if [ -n "$token" ]; then put_env HF_TOKEN "$token"; fi
}

offer_weights() {
    case $(ask "Fetch the weights of $1 now?" y) in
        y* | Y*) "$VENV/bin/medserver" download -m "$1" || say "The weights are not here yet. medserver download -m $1 goes on with it." ;;
        *) say "The first start fetches them." ;;
    esac
}

# .env holds secrets, so it is nobody else's to read at any moment.
put_env() {
    local name=$1 value=$2 line found=no
    rm -f .env.new
    (
        umask 077
        if [ -f .env ]; then
            while IFS= read -r line || [ -n "$line" ]; do
                case $line in "$name="*) found=yes line="$name=$value" ;; esac
                printf '%s\n' "$line"
            done <.env
        fi >.env.new
        if [ "$found" = no ]; then printf '%s=%s\n' "$name" "$value" >>.env.new; fi
    )
    mv .env.new .env
}

# The last one counts, with or without quotes.
env_value() { if [ -f .env ]; then sed -n "s/^$1=//p" .env | tail -n 1 | sed "s/^'\(.*\)'\$/\1/; s/^\"\(.*\)\"\$/\1/"; fi; }
