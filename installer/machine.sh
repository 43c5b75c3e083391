# shellcheck shell=bash
# What is in this machine, and what is to be installed because of it; it changes nothing.

TORCH=2.13.0
# The newest Python that this torch is built for.
PYTHON_NEWEST=3.14
PYTHONS="3.10 to $PYTHON_NEWEST"
TORCH_INDEX=https://download.pytorch.org/whl
SGLANG=0.5.23
# What SGLang's kernels are built for, and what it needs around it.
SGLANG_CAPABILITIES="8.0 8.6 8.9 9.0 10.0 12.0"
SGLANG_PYTHON=3.11
SGLANG_GLIBC=2.34
SGLANG_CUDA=13.0
# Gigabytes that an installation takes.
ROOM_CPU=3
ROOM_CUDA=9
ROOM_SGLANG=16

has_nvidia() { command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | grep -q GPU; }

ask_nvidia() { nvidia-smi --query-gpu="$1" --format=csv,noheader,nounits 2>/dev/null; }

# The least of all cards, since one model may be spread over them.
capability() { ask_nvidia compute_cap | sort -V | head -n 1; }

# The newest CUDA that the driver takes; nvidia-smi has no query for it.
cuda() { nvidia-smi 2>/dev/null | sed -n 's/.*CUDA[^:]*Version: *\([0-9.]*\).*/\1/p' | head -n 1; }

describe_gpu() {
    if ! has_nvidia; then
        say "no NVIDIA GPU"
        return
    fi
    say "$(ask_nvidia name | head -n 1), compute capability $(capability), driver for CUDA $(cuda)"
}

at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

free_mb() { df -Pk "${1:-$ROOT}" | awk 'NR == 2 { print int($4 / 1000) }'; }

find_python() {
    local least=${1:-3.10} candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        if is_python "$candidate" "$least"; then
            say "$candidate"
            return 0
        fi
    done
    return 1
}

# Whether it is one, from version `$2` on and not too new.
is_python() { "$1" -c "$IS_PYTHON" "$2" "$PYTHON_NEWEST" 2>/dev/null; }

IS_PYTHON='import sys
least, newest = (tuple(map(int, one.split("."))) for one in sys.argv[1:])
sys.exit(not least <= sys.version_info[:2] <= newest)'

# bitsandbytes serves -q; without an NVIDIA GPU few want its size.
extras() { if has_nvidia; then say quantize; fi; }

# On Linux the plain torch brings gigabytes of CUDA 13, of no use without an NVIDIA GPU, or with an old one.
torch_build() {
    if [ "$(uname -s)" != Linux ]; then
        say "$TORCH"
    elif ! has_nvidia; then
        say "$TORCH+cpu"
    elif at_least "$(cuda)" 13.0 && at_least "$(capability)" 7.5; then
        say "$TORCH"
    else
        say "$TORCH+cu126"
    fi
}

room_needed() {
    if ! has_nvidia; then
        say "$ROOM_CPU"
    elif [ -z "$(sglang_obstacle)" ]; then
        say $((ROOM_CUDA + ROOM_SGLANG))
    else
        say "$ROOM_CUDA"
    fi
}

# Why SGLang is not installed, as a sentence; nothing where it can run.
sglang_obstacle() {
    local found glibc
    if [ "$WITH_SGLANG" = no ]; then
        say "no: --no-sglang was given"
    elif [ "$(uname -s)" != Linux ]; then
        say "no: it runs on Linux only"
    elif ! has_nvidia; then
        say "no: it needs an NVIDIA GPU"
    elif found=$(capability) && ! grep -qw -- "$found" <<<"$SGLANG_CAPABILITIES"; then
        say "no: its kernels are not built for compute capability $found"
    elif found=$(cuda) && ! at_least "${found:-0}" "$SGLANG_CUDA"; then
        say "no: it needs a driver for CUDA $SGLANG_CUDA; this one takes ${found:-an unknown one}"
    elif glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d ' ' -f 2) && ! at_least "${glibc:-0}" "$SGLANG_GLIBC"; then
        say "no: it needs glibc $SGLANG_GLIBC; here is ${glibc:-another C library}"
    elif ! find_python "$SGLANG_PYTHON" >/dev/null; then
        say "no: it needs Python $SGLANG_PYTHON"
    fi
}
