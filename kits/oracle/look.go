package oracle

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

// look is everything that one look at an instance found.
type look struct {
	missing string // a tool
	// The processes: running is PMON of our home; left are others of this instance without it;
	// foreign has the same SID and another home; unsure cannot be told.
	running, left, foreign, unsure bool
	foreignHome                    string

	said    string // what the session printed
	code    int    // how it ended
	asked   bool
	ended   bool // it came to its end
	inst    instance
	db      database
	dests   []dest
	area    area
	files   []place
	real    map[string]string // where directories lie behind links
	pdbs    []string
	monitor monitor
}

// instance is the row of v$instance; the zero value is none.
type instance struct{ name, status, database, archiver, logins, waits, shutdown, version, since string }

// database is the row of v$database; it has none before the control file is read.
type database struct{ name, mode, role, logMode string }

// dest is an archive destination that is not switched off.
type dest struct{ id, status, binding, where, trouble string }

// area is the fast recovery area.
type area struct {
	where string
	used  int // percent that cannot be reclaimed
}

// place is a directory that the database needs, and where it really lies.
type place struct{ what, dir, real string }

// monitor is the second login.
type monitor struct {
	asked bool
	said  string
	code  int
}

// readLook reads the marks of the scripts' function look. An error means that it makes no sense.
func readLook(a orainst.Answer) (look, error) {
	var l look
	if m, ok := a.Get("missing"); ok {
		l.missing = m.Rest
		return l, nil
	}
	pmon, ok := a.Get("pmon")
	if !ok {
		return l, errors.New("it does not tell whether the instance runs")
	}
	left, _ := a.Get("left")
	foreign, isForeign := a.Get("foreign")
	_, l.unsure = a.Get("unsure")
	l.running, l.left, l.foreign = pmon.Rest != "", left.Rest != "", isForeign
	if f := strings.Fields(foreign.Rest); len(f) > 0 {
		l.foreignHome = strings.TrimSuffix(f[len(f)-1], "/bin/oracle")
	}
	if m, ok := a.Get("state"); ok {
		l.asked, l.said, l.code = true, m.Text(), a.Code("stateend")
		l.real = real(a)
		l.rows(m.Lines)
	}
	if m, ok := a.Get("login"); ok {
		l.monitor = monitor{true, m.Text(), a.Code("loginend")}
	}
	return l, nil
}

// real reads where directories lie behind links.
func real(a orainst.Answer) map[string]string {
	out := map[string]string{}
	m, _ := a.Get("places")
	for _, line := range m.Lines {
		if f := strings.Split(line, "|"); len(f) == 3 && f[1] != "" {
			out[f[0]] = f[1]
		}
	}
	return out
}

// rows reads what stands between the bars; whatever else sqlplus says is passed over.
func (l *look) rows(lines []string) {
	for _, line := range lines {
		f := strings.Split(strings.TrimRight(line, " \r"), "|")
		if len(f) < 2 || f[0] != "ferry" {
			continue
		}
		for i := range f {
			f[i] = kits.OneLine(f[i], 300)
		}
		f = append(f[1:], make([]string, 10)...)
		l.row(f)
	}
}

func (l *look) row(f []string) {
	at := func(what, dir string) {
		if dir != "" {
			l.files = append(l.files, place{what, dir, l.real[dir]})
		}
	}
	switch f[0] {
	case "instance":
		l.inst = instance{f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9]}
	case "database":
		l.db = database{f[1], f[2], f[3], f[4]}
	case "dest":
		l.dests = append(l.dests, dest{f[1], f[2], f[3], f[4], f[5]})
	case "recovery":
		l.area.where = f[1]
		l.area.used, _ = strconv.Atoi(f[2])
		at("recovery area", f[1])
	case "data", "temp", "redo", "control", "tracking":
		at(f[0]+" files", f[1])
	case "pdb":
		state := f[1] + " " + strings.ToLower(f[2])
		if f[3] == "YES" {
			state += " restricted"
		}
		l.pdbs = append(l.pdbs, state)
	case "end":
		l.ended = true
	}
}

// places are every directory that must be there for the database, archive destinations included where it archives.
func (l look) places() []place {
	out := slices.Clone(l.files)
	if l.db.logMode != "ARCHIVELOG" {
		return out
	}
	for _, d := range l.dests {
		if strings.HasPrefix(d.where, "/") || strings.HasPrefix(d.where, "+") {
			out = append(out, place{"archive files", d.where, l.real[d.where]})
		}
	}
	return out
}
