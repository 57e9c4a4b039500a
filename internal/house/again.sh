#!/bin/sh
# Reads what go test printed and names the tests that may have a second try, as PACKAGE:TEST, a line each. It fails where
# something else failed too: a package that does not build, a crash, a race, a test of a package that has its own clock.
exec awk '
	/^--- FAIL: / { name[++n] = $3 }
	/^panic: |^fatal error: |WARNING: DATA RACE/ { bad = 1 }
	/^FAIL\t/ {
		if ($3 ~ /^\[/ || n == 0 || $2 !~ /\/(tui\/e2e|sshexec|cmd\/ferry|kits\/[a-z0-9]+)$/) bad = 1
		for (i = 1; i <= n; i++) print $2 ":" name[i]
		all += n
		n = 0
	}
	END { exit bad || all == 0 || all > 3 }
'
