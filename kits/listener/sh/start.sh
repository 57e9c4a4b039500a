# $1 seconds  $2 the host names and addresses it is to listen on, one a line  $3 seconds for their resolution
# $4 the databases to be registered, "SID HOME USER" a line  $5 the script bring.sh
echo "@begin"

# here HOST: it is, or resolves to, an address that this node carries. Sets found to what it resolves to.
here() {
	case $1 in
	0.0.0.0 | :: | localhost | 127.*) return 0 ;;
	*[!0-9.]*) found=$(getent ahosts "$1" 2>/dev/null | cut -d ' ' -f 1 | sort -u) ;;
	*) found=$1 ;;
	esac
	for a in $found; do
		case $(ip -o addr show 2>/dev/null) in *" $a/"*) return 0 ;; esac
	done
	return 1
}

# resolve: waits until every host is here.
resolve() {
	while :; do
		missing=''
		for host in $1; do
			here "$host" && continue
			missing=$host
			break
		done
		[ -n "$missing" ] || return 0
		now
		[ "$up" -lt "$deadline" ] || return 1
		pause
	done
}

# known TEXT: whether the listener knows every database of the list; that takes a moment after they were asked.
known() {
	control "$answer" status "$name"
	while read -r sid _; do
		case $said in *"Instance \"$sid\""*) ;; *) [ -z "$sid" ] || return 1 ;; esac
	done <<DATABASES
$1
DATABASES
}

# register: the databases tell their listeners at once.
register() {
	[ -n "$1" ] || return 0
	while read -r sid their owner; do
		[ -n "$owner" ] || continue
		(
			name=$sid home=$their user=$owner admin=''
			as_owner "$answer" "$home/bin/sqlplus" -S -L / as sysdba <<'SQL'
alter system register;
exit
SQL
		)
	done <<DATABASES
$1
DATABASES
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		known "$1" && break
		pause
	done
}

if need systemctl systemd-run timeout runuser readlink grep tr ip getent; then
	limit=$1
	now
	begin=$up deadline=$((up + $3))
	flight
	ours
	if [ -n "$foreign$unsure" ] && [ -z "$pids" ]; then
		echo "@instead$foreign$unsure"
	elif [ -z "$pids" ]; then
		if resolve "$2"; then
			now
			begin=$up
			end_units
			launch "$5" "$answer" "" "$limit"
			echo "@bring"
			quote "$said"
			register "$4"
		else
			echo "@unresolved $missing $(printf '%s' "$found" | tr '\n' ' ')"
		fi
	fi
	look
fi
echo "@end"
exit 0
