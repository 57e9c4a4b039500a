# $1 seconds for "shutdown immediate"; what comes after it has bounds of its own
echo "@begin"

# all: every process of the instance.
all() {
	processes "^ora_[^_]*_$name|^oracle$name"
	[ -n "$pids" ]
}

# say TEXT: one command of sqlplus within what is left of the time.
say() {
	remaining
	echo "@did $1"
	sql "$rest" <<SQL
$1
exit
SQL
	quote "$said"
	echo "@didend $rc"
}

# gone SECONDS: waits until nothing is left; only a moment when Oracle did not say that it has shut the instance down.
gone() {
	now
	begin=$up limit=$1
	case $said in *'instance shut down'*) ;; *) [ "$limit" -lt 2 ] || limit=2 ;; esac
	while all && remaining; do pause; done
	[ -z "$pids" ]
}

if need systemctl timeout runuser readlink grep; then
	halt
	limit=$1
	now
	begin=$up
	if all; then
		say "shutdown immediate"
		case $said in
		*ORA-01149*)
			# Data files in backup mode: the shutdown takes them out of it, and the backup is void.
			say "alter database end backup;"
			say "shutdown immediate"
			;;
		esac
		if ! gone 5; then
			now
			begin=$up limit=60
			say "shutdown abort"
			if ! gone 10 && [ -n "$pids" ]; then
				# What abort would have done, had it been heard: each of these was just found to be this
				# instance's own, by its name and its program.
				echo "@did kill$pids"
				# shellcheck disable=SC2086 # several
				kill -KILL $pids 2>/dev/null
				said='instance shut down'
				gone 10
			fi
		fi
	fi
	all || [ -n "$unsure" ] || end_units
	rm -f "$root/run/$unit.ora"
	all
	echo "@pmon"
	echo "@left$pids"
	[ -z "$foreign" ] || echo "@foreign$foreign $program"
	[ -z "$unsure" ] || echo "@unsure$unsure"
fi
echo "@end"
exit 0
