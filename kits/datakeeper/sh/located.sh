# NODE=NUMBER:BLOCKS:yes|no …
#
# Notes what the last comparison's differences turned out to be. The pulse shows it: what is on record comes from there.
echo "@begin"
survey
[ -n "$md" ] || fail not-running
{ echo "- $*" >"$run/located.new" && mv "$run/located.new" "$run/located"; } || fail locate "$run/located"
echo "@end"
exit 0
