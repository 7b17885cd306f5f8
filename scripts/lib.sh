# Sourced by the scripts beside it: where things are, and how to say what is going on.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cache=${WEFT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/weft} # downloads and compiler cache: outside the clone, shared by clones
build=${WEFT_BUILD:-$root/build}
jobs=${WEFT_JOBS:-$(nproc)}

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
say() { printf '%s==>%s %s\n' "$bold" "$plain" "$*" >&2; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }
