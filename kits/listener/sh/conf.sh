# $1 the path of listener.ora  $2 all = and what the installation is like
echo "@begin"

# show FILE DEPTH: a file, and those that its IFILE lines name.
show() {
	[ -r "$1" ] && [ ! -d "$1" ] || return 0
	echo "@file $1"
	text=$(head -n 5000 "$1")
	quote "$text"
	[ "$2" -lt 3 ] || return 0
	for more in $(printf '%s\n' "$text" | sed -n 's/^[ 	]*[Ii][Ff][Ii][Ll][Ee][ 	]*=[ 	]*\([^ 	#]*\).*/\1/p'); do
		show "$more" "$(($2 + 1))"
	done
}

show "$1" 0
[ "$2" != all ] || installation lsnrctl tnslsnr
echo "@end"
exit 0
