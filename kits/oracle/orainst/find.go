package orainst

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// FindScript prints oratab and who owns each installation that it names. $1 ORACLE_HOME or empty
const FindScript = `root=''
LC_ALL=C
export LC_ALL
echo "@begin"
for f in "$root/etc/oratab" "$root/var/opt/oracle/oratab"; do
	[ -r "$f" ] || continue
	echo "@oratab ${f#"$root"}"
	head -n 500 "$f" | while IFS= read -r line; do printf '|%s\n' "$line"; done
	for home in $(head -n 500 "$f" | sed -n 's/^[A-Za-z][A-Za-z0-9_]*:\(\/[A-Za-z0-9._+@/-]*\):.*/\1/p') $1; do
		owner=$(stat -c %U "$home/bin/oracle" 2>/dev/null) || continue
		echo "@owner $home $owner"
	done
done
echo "@end"
`

// Installations are what a node's oratab names.
type Installations struct {
	databases []Database
	owners    [][2]string // home, owner
}

// Find reads them from a node. home is one more place to ask for its owner; it may be empty. It changes nothing.
func Find(ctx context.Context, h kits.Host, home string) (Installations, error) {
	res, err := h.Run(ctx, kits.Script{Name: "oracle/find", Body: FindScript, Args: []string{home}})
	if err != nil {
		return Installations{}, fmt.Errorf("reading oratab of %s: %w", h.Node(), err)
	}
	a, err := ParseAnswer(res)
	if err != nil {
		return Installations{}, fmt.Errorf("reading oratab of %s: %w", h.Node(), err)
	}
	found := Installations{databases: a.Databases()}
	for _, m := range a.All("owner") {
		if home, owner, _ := strings.Cut(m.Rest, " "); UserName.MatchString(owner) {
			found.owners = append(found.owners, [2]string{home, owner})
		}
	}
	return found, nil
}

// SIDs are the instances, each once.
func (f Installations) SIDs() []string {
	var out []string
	for _, d := range f.databases {
		out = once(out, d.SID)
	}
	return out
}

// Homes are those of one instance, or all of them.
func (f Installations) Homes(sid string) []string {
	var out []string
	for _, d := range f.databases {
		if d.Home != "" && (sid == "" || d.SID == sid) {
			out = once(out, d.Home)
		}
	}
	return out
}

// Owners are those of one home, or all of them.
func (f Installations) Owners(home string) []string {
	var out []string
	for _, o := range f.owners {
		if home == "" || o[0] == home {
			out = once(out, o[1])
		}
	}
	return out
}

func once(all []string, s string) []string {
	if slices.Contains(all, s) {
		return all
	}
	return append(all, s)
}
