# $1 spfile or empty
echo "@begin"
installation sqlplus oracle
# Where Oracle looks for its parameters by itself. A read-only home keeps them elsewhere: then nothing is said.
if [ -z "$1" ] && ! grep -sq ':Y:*$' "$home/install/orabasetab"; then
	found=''
	for f in "$home/dbs/spfile$name.ora" "$home/dbs/spfile.ora" "$home/dbs/init$name.ora"; do
		if [ -e "$f" ] || [ -h "$f" ]; then found=$f; fi
	done
	[ -n "$found" ] || echo "@nospfile $home/dbs"
fi
if command -v timeout >/dev/null 2>&1 && command -v runuser >/dev/null 2>&1; then look; fi
echo "@end"
exit 0
