#!/bin/sh
# Runs every test that can run here. On Debian as root it installs what is missing
# and nothing is left out; elsewhere it says at the end what was.
set -eu
cd "$(dirname "$0")/../.."
GO=${GO:-go}
left=""
unsteady=""

whole=no
if [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	whole=yes
	missing=""
	for p in $(grep -hv '^#' internal/house/packages.txt internal/lab/packages.txt | sort -u); do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $p"
	done
	if [ -n "$missing" ]; then
		echo "== installing:$missing"
		export DEBIAN_FRONTEND=noninteractive
		# Debian's package would make a database of its own, and start it.
		if [ "${missing#*postgresql}" != "$missing" ] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
			mkdir -p /etc/postgresql-common
			echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
		fi
		apt-get update -qq
		# shellcheck disable=SC2086 # a list of package names
		apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold $missing >/dev/null
	fi
fi

# Tests build as packages do: what is tested is what is shipped, and the AWS SDK, which
# takes minutes, is compiled once for both.
GOFLAGS="$($GO env GOFLAGS) -trimpath"
export GOFLAGS CGO_ENABLED=0

echo "== format and vet"
bad=$(gofmt -l cmd engine examples internal kits sshexec tui)
if [ -n "$bad" ]; then
	echo "not formatted: $bad"
	exit 1
fi
$GO vet ./...

echo "== tests without a lab"
log=$(mktemp)
# Its last line is what go test ended with, as a shell without pipefail tells of a pipe's last part only.
without() {
	{ FERRY_LAB=0 FERRY_REQUIRE_REAL=$real $GO test -timeout 30m "$@" 2>&1 && echo passed || echo failed; } | tee "$log"
	[ "$(tail -1 "$log")" = passed ]
}
real=1
if [ $whole = no ]; then
	real=
	left="$left
  - checks against real sshd, busybox and boto3, where they are not installed"
fi
if ! without ./...; then
	# Terminals, daemons and shells on a machine that others use too: as in the lab below, up to three tests against the
	# real clock have a second try, alone, and are named. Nothing that runs in virtual time or draws at random has one.
	again=$(sh internal/house/again.sh <"$log") || exit 1
	for one in $again; do
		echo "== once more: $one"
		without -count=1 -run "^${one#*:}\$" "${one%%:*}" || exit 1
	done
	unsteady="$again"
fi
rm -f "$log"

if [ $whole = yes ]; then
	echo "== packages"
	log=$(mktemp)
	if ! GO=$GO sh internal/house/package.sh >"$log" 2>&1; then
		cat "$log"
		exit 1
	fi
	FERRY_DEB=$(GO=$GO sh internal/house/package/check.sh)
	export FERRY_DEB
	ls -l dist/release | awk 'NR > 1 && $1 ~ /^-/ { print $5, $9 }'
	rm -f "$log"
	for target in darwin/arm64 windows/amd64; do # all of them: make cross
		GO=$GO sh internal/house/package/cross.sh $target
	done
else
	left="$left
  - packages, and programs for other systems: make snapshot, make cross"
fi

if [ $whole = yes ]; then
	echo "== lab tests"
	log=$(mktemp)
	lab() { FERRY_LAB=1 $GO test -p 1 -count=1 -timeout 85m -v "$@" ./internal/lab/... ./kits/kittest; }
	# What failed, with what the tests themselves said and without the guests' consoles.
	failures() { grep -E '^ *--- FAIL|^ +[a-z_0-9]+_test\.go:[0-9]+: |^panic: ' "$1" | cut -c1-600 | tail -80; }
	if ! lab -skip 'TestHold|TestReport|TestLong' >"$log" 2>&1; then
		echo "== what failed in the lab"
		failures "$log"
		# Real kernels and daemons on a machine that others use too: a few tests may have a second try, alone. What was
		# not steady is said above and at the end, so that its cause is looked for; what fails twice is a failure.
		again=$(sed -n 's/^--- FAIL: \([A-Za-z0-9_]*\) .*/\1/p' "$log" | sort -u)
		if [ -z "$again" ] || [ "$(echo "$again" | wc -l)" -gt 3 ] || grep -q '^panic: ' "$log"; then
			cat "$log"
			echo "== what failed, once more" # the end of a log is what is read
			failures "$log"
			exit 1
		fi
		second=$(mktemp)
		if ! lab -run "^($(echo $again | tr ' ' '|'))\$" >"$second" 2>&1; then
			cat "$log" "$second"
			echo "== what failed twice"
			failures "$log"
			failures "$second"
			exit 1
		fi
		unsteady="$unsteady $again"
		rm -f "$second"
	fi
	grep -E '^(=== RUN|--- |ok|FAIL|PASS)' "$log" | grep -v '^=== RUN' || true
	if grep -E '^ *--- SKIP' "$log"; then
		echo "a lab test was skipped"
		exit 1
	fi
	rm -f "$log"
else
	left="$left
  - the lab (real Linux guests): needs Debian and root"
fi

if [ -n "$unsteady" ]; then
	echo "== not steady: failed at first, passed the second time (see above): $(echo $unsteady)"
fi
if [ -n "$left" ]; then
	echo "passed; left out here:$left"
else
	echo "passed; nothing was left out"
fi
