# Brings the instance up, step by step, from wherever it is: nothing running, STARTED, MOUNTED. So
# the database's role and backup mode are seen before it is opened. $1 seconds  $2 parameter file or empty
# $3 1 = backup mode may be ended  $4 start or recover. Prints every step with what Oracle said to it.
limit=$1 pfile=$2 end_backup=$3 mood=$4
now
begin=$up

# step NAME TEXT: one command of sqlplus, with all the time that is left. A step is not taken twice.
step() {
	case $taken in *" $1 "*) return 1 ;; esac
	taken="$taken $1 "
	remaining || return 1
	printf '== %s\n' "$1"
	sql "$rest" <<SQL
$2
exit
SQL
	printf '%s\n== %s\n' "$said" "$rc"
}

# parameters sets from to what "startup" needs to find a parameter file that is not at its usual place.
# An spfile must be named by a file of text. That one is read by the owner, who may not look into $run.
parameters() {
	from=''
	case ${pfile##*/} in
	'') ;;
	spfile*)
		printf "spfile='%s'\n" "$pfile" >"$root/run/$unit.ora"
		chmod 644 "$root/run/$unit.ora"
		from=" pfile='$root/run/$unit.ora'"
		;;
	*) from=" pfile='$pfile'" ;;
	esac
}

# from_nothing: no instance answers. In a recovery what is left of the last one is cleared away first.
from_nothing() {
	case $said in
	*ORA-01034* | *ORA-27101* | *'idle instance'*)
		parameters
		step "startup nomount" "startup nomount$from" && return 0
		;;
	*ORA-01089* | *ORA-01090* | *ORA-01092* | *ORA-10997*)
		pause # someone takes it down, or up, at this moment
		return 0
		;;
	esac
	[ "$mood" = recover ] && step "shutdown abort" "shutdown abort" || return 1
	taken=" shutdown abort "
}

# from_mounted: open it, if it is a primary whose files are its own.
from_mounted() {
	if [ "$role" != PRIMARY ]; then
		printf '== role %s\n' "$role"
		return 1
	fi
	case $backups in
	'' | 0) ;;
	*)
		printf '== backup %s %s\n' "$backups" "$behind"
		# Files that are older than the control file knows were restored from a backup: they
		# need recovery, and ending the backup would hide that.
		[ "$end_backup" = 1 ] && [ "$behind" = 0 ] || return 1
		step "end backup" "alter database end backup;" || return 1
		;;
	esac
	step "open" "alter database open;"
}

taken=''
while remaining; do
	[ "$rest" -lt "$answer" ] || rest=$answer
	inspect "$rest"
	case $status in
	OPEN*)
		# Else the listeners would learn of it up to a minute later.
		step "register" "alter system register;"
		break
		;;
	STARTED) step "mount" "alter database mount;" || break ;;
	MOUNTED) from_mounted || break ;;
	*)
		case $rc in 124 | 137)
			printf '== no answer\n'
			break
			;;
		esac
		from_nothing || break
		;;
	esac
done
[ -n "$status" ] || printf '== last\n%s\n' "$said"
