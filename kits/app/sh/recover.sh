# ${10}: the recover command; empty = stop and start again.
if [ -n "${10}" ]; then
	bring_up "$unit-r$stamp.service" "${10}"
else
	do_stop
	now
	begin=$up
	do_start
fi
units
printf '@did %s\n@check %s\n@out\n%s\n' "$did" "$rc" "$out"
exit 0
