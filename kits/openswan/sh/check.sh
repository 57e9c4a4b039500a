# $1 connection  $2 seconds that a ping may take
patience=$2

# facts reads, from what status said, where to ping: host (the peer's public side), mine and peer (the tunnel's ends).
facts() {
	host='' mine='' peer=''
	while IFS= read -r line; do
		case $line in
		'000 "'"$conn"'": '* | '000 "'"$conn"/*) ;;
		*) continue ;;
		esac
		body=${line#*\"*\": }
		case $body in
		*===*...*===*)
			body=${body%%;*}
			body=${body#*...}
			body=${body%%===*}
			body=${body##*---}
			body=${body%%\[*}
			host=${body%%<*}
			;;
		*my_ip=*their_ip=*)
			mine=${body#*my_ip=} peer=${body#*their_ip=}
			;;
		*myip=*hisip=*)
			mine=${body#*myip=} peer=${body#*hisip=}
			;;
		esac
		mine=${mine%%;*} peer=${peer%%;*}
		[ -z "$host" ] || [ -z "$peer" ] || break
	done <<STATUS
$said
STATUS
}

# address TEXT: digits and dots, so that nothing else gets to the command line.
address() {
	case $1 in '' | *[!0-9.]*) return 1 ;; esac
}

# ask_ping NAME ARGUMENTS… ADDRESS: once a second until it is answered or the time is over.
# (busybox sends one packet only, and knows the time as -W.) An interrupt lets ping say how it went.
ask_ping() {
	name=$1
	shift
	echo "@ping $name $*"
	said=$(timeout -s INT -k 1 "$((patience + 1))" ping -n -c 1 -w "$patience" -W "$patience" "$@" </dev/null 2>&1)
	rc=$?
	quote "$said"
	echo "@pingend $rc"
}

echo "@begin"
if need ipsec ping timeout; then
	status
	if tell_status; then
		facts
		if address "$mine" && address "$peer"; then ask_ping private -I "$mine" "$peer"; fi
		if address "$host"; then ask_ping public "$host"; fi
		tool "$ask" ipsec trafficstatus
		echo "@traffic $(date +%s)"
		relevant "$said"
		echo "@trafficend $rc"
	fi
fi
echo "@end"
exit 0
