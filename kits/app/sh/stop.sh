do_stop
units
printf '@stop %s\n@check %s\n@out\n%s\n%s\n' "$stopped" "$rc" "$said" "$out"
exit 0
