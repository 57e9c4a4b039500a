#!/bin/sh
# Puts a definition in force and takes a resource into service on a node, without
# anybody at the keyboard: from cron, from a pipeline, before a node is patched.
#
#   scripted-mode.sh ESTATE.toml TAG NODE
#
# It keeps the state before and after as JSON in the directory $RECORD (default: a
# new one). It never forces anything, and never moves a service to another region:
# that takes --confirm-region with the region's name, which no script should supply
# unread. It ends with ferry's own exit code.
set -u

if [ $# -ne 3 ]; then
	echo "usage: $0 ESTATE.toml TAG NODE" >&2
	exit 64
fi
estate=$1 tag=$2 node=$3
FERRY=${FERRY:-ferry}
RECORD=${RECORD:-$(mktemp -d)} || exit 1
TRIES=${TRIES:-5} # as long as another operation runs
PAUSE=${PAUSE:-10} # seconds between them

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# means tells what an exit code asks of the caller.
means() {
	case $1 in
	1) echo "it was tried and failed; what was done is in: ferry operations" ;;
	64) echo "the command line is wrong: a mistake in this script or its arguments" ;;
	69) echo "no engine answers: is ferry-engine running?" ;;
	75) echo "another operation is still running: try again later" ;;
	77) echo "this user may not do that: which groups may is said by ferry info" ;;
	78) echo "the definition is wrong: each problem is shown above with its line" ;;
	105) echo "there is no such resource or node in the definition" ;;
	106) echo "the node has no quorum: it may be the one that is cut off" ;;
	107) echo "it needs a person's word: a move to another region, or a risk; run it by hand" ;;
	124) echo "the time limit ran out; it may still be going on: ferry operations" ;;
	190) echo "done, but not everything is as it should be: ferry status" ;;
	*) echo "unexpected exit code $1" ;;
	esac
}

# must runs a command and ends the script when it fails; busy is worth another try.
must() {
	try=1
	while :; do
		code=0
		"$@" || code=$?
		if [ "$code" -ne 75 ] || [ "$try" -ge "$TRIES" ]; then
			break
		fi
		say "busy, trying again in $PAUSE s"
		sleep "$PAUSE"
		try=$((try + 1))
	done
	[ "$code" -eq 0 ] && return
	say "$*: exit $code: $(means "$code")"
	exit "$code"
}

# keep writes the state of the estate to a file and tells where the resource is.
keep() {
	must "$FERRY" status -o json >"$RECORD/$1.json"
	if command -v jq >/dev/null 2>&1; then
		say "$1: $tag is active on $(jq -r --arg tag "$tag" '
			[.resources[] | select(.tag == $tag or (.tag | endswith("/" + $tag))) | .active // "no node"] | join(", ")
		' "$RECORD/$1.json")"
	fi
}

# 1. Is the file good? Nothing is touched, no engine is needed.
must "$FERRY" config validate "$estate" >&2

# 2. What would it change? Kept for the record; then put in force without a question.
must "$FERRY" apply "$estate" --dry-run -o json >"$RECORD/changes.json"
must "$FERRY" apply "$estate" --yes >&2

# 3. Move it. On that node already: nothing to do, and that is exit code 0 too.
keep before
must "$FERRY" in-service "$tag" --on "$node" --yes --wait --timeout 10m -o json >"$RECORD/operation.json"
keep after

# 4. Is all well? 190: something needs attention, though this job is done.
must "$FERRY" status --check >&2
say "done; the record is in $RECORD"
