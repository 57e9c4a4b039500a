#!/bin/sh
# package.sh [all]: makes the files of a release of the commit that is checked out, below
# dist/release: those for linux/amd64, or for all systems. It publishes nothing and needs
# no tag. The program that does it is kept in the user's cache.
set -eu
cd "$(dirname "$0")/../.."
GO=${GO:-go}

# The newest release that can be built from the module proxy: from v2.17.0 on it needs a
# module (go-msix) that the proxy does not hold.
version=v2.16.0
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/ferry-house
tool=$cache/goreleaser-$version-$($GO env GOHOSTARCH)
if [ ! -x "$tool" ]; then
	mkdir -p "$cache"
	new=$(mktemp -d "$cache/new.XXXXXX")
	trap 'rm -rf "$new"' EXIT
	trap 'exit 1' INT TERM
	# Two minutes of two cores: some five hundred packages that nothing else here needs.
	GOFLAGS='' GOBIN=$new CGO_ENABLED=0 $GO install -ldflags='-s -w' "github.com/goreleaser/goreleaser/v2@$version"
	mv "$new/goreleaser" "$tool"
fi

# A clone may belong to another user than the one who builds, as in CI.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0="$PWD"
# One without a remote has no commit either, in the program's eyes.
if [ -z "$(git remote)" ]; then
	export GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_1=remote.origin.url GIT_CONFIG_VALUE_1=https://github.com/ferry-ha/ferry
fi
[ "${1-}" = all ] || export FERRY_PACKAGE_TESTED_ONLY=1
"$tool" release --snapshot --clean --timeout 30m
