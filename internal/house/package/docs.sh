#!/bin/sh
# docs.sh PROGRAM OS/ARCH DIR: has a ferry that was just built write its completions and
# man pages below DIR, for packages and archives. Called once per target by the release
# (.goreleaser.yaml); only the one that can run on this machine does it.
set -eu
program=$1 target=$2 dir=$3
[ "$target" = "$(go env GOHOSTOS)/$(go env GOHOSTARCH)" ] || exit 0

rm -rf "$dir"
mkdir -p "$dir/completions" "$dir/man"
"$program" completion bash >"$dir/completions/ferry.bash"
"$program" completion zsh >"$dir/completions/_ferry"
"$program" completion fish >"$dir/completions/ferry.fish"
"$program" completion powershell >"$dir/completions/ferry.ps1"

"$program" man --dir "$dir/man"
[ -s "$dir/man/ferry.1" ] || { echo "ferry man wrote no ferry.1" >&2; exit 1; }
gzip -n9 "$dir"/man/*.1
