#!/bin/sh
# cross.sh [OS/ARCH…]: compiles ferry for other systems than linux/amd64, all or those
# given, and keeps nothing. Half of a target's time is the AWS SDK's EC2 client, a few
# hundred thousand lines that are the same everywhere; nothing is run here, so nothing is
# optimised.
set -eu
cd "$(dirname "$0")/../../.."
GO=${GO:-go}
[ $# -gt 0 ] || set -- linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
for target in "$@"; do
	echo "compiling for $target"
	GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0 $GO build -gcflags='all=-N -l' -o /dev/null ./cmd/ferry
done
