#!/bin/sh
# check.sh: looks at what package.sh made for linux/amd64 as its receivers' tools do, and
# prints the Debian package's path. Needs dpkg-deb and rpm. (That the Debian package
# works is the lab's business: internal/lab/e2e, TestPackage.)
set -eu
cd "$(dirname "$0")/../../../dist/release"
GO=${GO:-go}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

bad() {
	echo "packages: $*" >&2
	exit 1
}
one() {
	if [ $# -ne 1 ] || [ ! -f "$1" ]; then bad "want one such file: $*"; fi
	printf '%s\n' "$1"
}
deb=$(one ./*_amd64.deb)
rpm=$(one ./*.x86_64.rpm)
archive=$(one ./*_linux_amd64.tar.gz)
parts=$(one ./*_linux_amd64.cdx.json)

[ "$(grep -c . checksums.txt)" -ge 4 ] || bad "checksums.txt is short"
sha256sum --quiet --strict -c checksums.txt >&2

# The same files in each, but for the places that differ by custom.
tar -tzf "$archive" | sed 's,^[^/]*/,,' >"$work/archive"
dpkg-deb -x "$deb" "$work/deb"
mkdir "$work/rpm"
rpm -i --force-debian --root "$work/rpm" --nodeps --noscripts --ignoreos --ignorearch "$rpm" >&2
for f in ferry README.md LICENSE completions/ferry.bash completions/_ferry completions/ferry.fish completions/ferry.ps1 man/ferry.1.gz; do
	grep -qx "$f" "$work/archive" || bad "$archive has no $f"
done
for f in usr/bin/ferry usr/libexec/ferry/engine-socket usr/lib/systemd/system/ferry.service usr/share/man/man1/ferry.1.gz \
	usr/share/bash-completion/completions/ferry usr/share/doc/ferry/copyright; do
	[ -s "$work/deb/$f" ] || bad "$deb has no $f"
	cmp "$work/deb/$f" "$work/rpm/$f" || bad "$f differs between deb and rpm"
done
cmp "$work/deb/etc/default/ferry" "$work/rpm/etc/sysconfig/ferry"
[ "$(rpm -qp --configfiles "$rpm")" = /etc/sysconfig/ferry ] || bad "$rpm: configuration is not marked"
[ "$(dpkg-deb -I "$deb" conffiles)" = /etc/default/ferry ] || bad "$deb: configuration is not marked"
for s in postin preun postun; do
	rpm -qp --qf "%{$s}" "$rpm" | sh -n || bad "$rpm: script $s"
done

# The list of parts names each module that is linked, the standard library beside them.
linked=$($GO version -m "$work/deb/usr/bin/ferry" | grep -c '^	dep	')
listed=$(grep -c '"type": "library"' "$parts")
if [ "$linked" -le 20 ] || [ "$listed" -ne $((linked + 1)) ]; then
	bad "$parts lists $listed libraries, $linked modules are linked"
fi
grep -q "\"$(sha256sum <"$work/deb/usr/bin/ferry" | cut -d' ' -f1)\"" "$parts" || bad "$parts describes another program"

printf '%s\n' "$PWD/${deb#./}"
