do_start
units
printf '@did %s\n@check %s\n@out\n%s\n' "$did" "$rc" "$out"
exit 0
