package hierarchy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// The names of the tuning table (SPEC 3).
const (
	LKCheckInterval    = "LKCHECKINTERVAL"
	NoBcastPing        = "NOBCASTPING"
	ConfirmSoDef       = "CONFIRMSODEF"
	ConfirmSoTo        = "CONFIRMSOTO"
	LCMHBeatTime       = "LCMHBEATTIME"
	LCMNumHBeats       = "LCMNUMHBEATS"
	QuorumMode         = "QUORUM_MODE"
	QuorumHosts        = "QUORUM_HOSTS"
	QuorumTimeoutSecs  = "QUORUM_TIMEOUT_SECS"
	OpenswanRemove     = "OPENSWAN_REMOVE_TIMEOUT"
	OpenswanPing       = "OPENSWAN_PING_TIMEOUT"
	OpenswanTries      = "OPENSWAN_CHECK_TRY_COUNT"
	OpenswanInterval   = "OPENSWAN_CHECK_INTERVAL"
	Route53TTL         = "ROUTE53_TTL"
	Route53RecordPause = "ROUTE53_RECORD_INTERVAL"
	Route53RecordTries = "ROUTE53_RECORD_TRY_COUNT"
	Route53ChangePause = "ROUTE53_CHANGEID_INTERVAL"
	Route53ChangeTries = "ROUTE53_CHANGEID_TRY_COUNT"
	Route53CheckPause  = "ROUTE53_RECORDCHECK_INTERVAL"
	Route53CheckTries  = "ROUTE53_RECORDCHECK_TRY_COUNT"
	Route53Strict      = "ROUTE53_STRICT"
)

// TuningKind tells what a tuning value looks like.
type TuningKind string

// The kinds of tuning value.
const (
	TuningSeconds TuningKind = "seconds" // whole seconds, written with or without a unit
	TuningCount   TuningKind = "count"   // whole number
	TuningSwitch  TuningKind = "switch"  // 0 or 1
	TuningWord    TuningKind = "word"    // one of Choices
	TuningText    TuningKind = "text"    // anything
)

// Tuning is one row of the tuning table.
type Tuning struct {
	Name, Default string
	Kind          TuningKind
	// Min and Max bound seconds and counts, both inclusive.
	Min, Max int
	Choices  []string
	Help     string
}

// TuningTable is the table of SPEC 3, in its order. Defaults are the seed
// product's; ranges are ours, wide enough for tests and short enough that a slip
// of the pen (360000) is noticed.
func TuningTable() []Tuning {
	seconds := func(name string, def, lo, hi int, help string) Tuning {
		return Tuning{Name: name, Default: strconv.Itoa(def), Kind: TuningSeconds, Min: lo, Max: hi, Help: help}
	}
	count := func(name string, def, lo, hi int, help string) Tuning {
		return Tuning{Name: name, Default: strconv.Itoa(def), Kind: TuningCount, Min: lo, Max: hi, Help: help}
	}
	onOff := func(name, help string) Tuning {
		return Tuning{Name: name, Default: "0", Kind: TuningSwitch, Max: 1, Help: help}
	}
	return []Tuning{
		seconds(LKCheckInterval, 120, 1, 86400, "pause between two checks of a resource"),
		onOff(NoBcastPing, "1 = the IP kit does not check by broadcast ping"),
		onOff(ConfirmSoDef, "when nobody answers a confirmation: 0 = go on, 1 = do not"),
		seconds(ConfirmSoTo, 600, 0, 604800, "how long a confirmation waits for an answer"),
		seconds(LCMHBeatTime, 5, 1, 3600, "pause between two heartbeats"),
		count(LCMNumHBeats, 3, 1, 1000, "heartbeats missed in a row until a node counts as unreachable"),
		{
			Name: QuorumMode, Kind: TuningWord, Choices: []string{TCPRemote, Majority, NoQuorum},
			Help: "how a node that would take over proves that it is not the one cut off; empty = by the cluster's shape",
		},
		{Name: QuorumHosts, Kind: TuningText, Help: "host:port list for tcp_remote, separated by commas, at least three"},
		seconds(QuorumTimeoutSecs, 20, 1, 600, "how long the quorum question may take"),
		seconds(OpenswanRemove, 15, 1, 3600, "time limit of the Openswan kit's stop"),
		seconds(OpenswanPing, 5, 1, 600, "how long the Openswan kit waits for a ping's answer"),
		count(OpenswanTries, 3, 1, 1000, "tunnel checks after a start"),
		seconds(OpenswanInterval, 15, 0, 3600, "pause between those tunnel checks"),
		seconds(Route53TTL, 10, 0, 604800, "TTL of the A record"),
		seconds(Route53RecordPause, 2, 0, 3600, "pause between two tries to update the A record"),
		count(Route53RecordTries, 3, 1, 1000, "tries to update the A record"),
		seconds(Route53ChangePause, 20, 0, 3600, "pause between two questions whether the change is INSYNC"),
		count(Route53ChangeTries, 4, 1, 1000, "questions whether the change is INSYNC; raise it by 1 or 2 where starts often end PENDING"),
		seconds(Route53CheckPause, 2, 0, 3600, "pause between two tries to read the A record in a check"),
		count(Route53CheckTries, 3, 1, 1000, "tries to read the A record in a check"),
		onOff(Route53Strict, "1 = a change still PENDING at the end fails the start, as LifeKeeper does"),
	}
}

// Fix brings a value into the form in which it is stored, or says what is wrong
// with it: seconds may be written "90", "90s" or "2m"; switches also true/false.
func (t Tuning) Fix(value string) (string, error) {
	value = strings.TrimSpace(value)
	switch t.Kind {
	case TuningSeconds:
		d, err := ParseSeconds(value)
		if err != nil {
			return "", err
		}
		return t.bounded(int(d/time.Second), "s")
	case TuningCount:
		n, err := strconv.Atoi(value)
		if err != nil {
			return "", fmt.Errorf("%q is not a whole number", value)
		}
		return t.bounded(n, "")
	case TuningSwitch:
		switch value {
		case "0", "false":
			return "0", nil
		case "1", "true":
			return "1", nil
		}
		return "", fmt.Errorf("%q is neither 0 nor 1", value)
	case TuningWord:
		if !slices.Contains(t.Choices, value) {
			return "", fmt.Errorf("%q is none of %s", value, strings.Join(t.Choices, ", "))
		}
	}
	return value, nil
}

func (t Tuning) bounded(n int, unit string) (string, error) {
	if n < t.Min || n > t.Max {
		return "", fmt.Errorf("%d%s is outside %d to %d%s", n, unit, t.Min, t.Max, unit)
	}
	return strconv.Itoa(n), nil
}

// ParseSeconds reads a duration in whole seconds: a bare number means seconds, or
// a number with a unit (s, m, h). At most ten years.
func ParseSeconds(s string) (time.Duration, error) {
	n, bare := strconv.ParseInt(s, 10, 32)
	d, err := time.Duration(n)*time.Second, error(nil)
	if bare != nil {
		d, err = time.ParseDuration(s)
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration; write seconds (90) or a number with a unit (90s, 2m)", s)
	}
	if d < 0 || d > 10*365*24*time.Hour {
		return 0, fmt.Errorf("%q is out of range", s)
	}
	if d%time.Second != 0 {
		return 0, fmt.Errorf("%q is not in whole seconds", s)
	}
	return d, nil
}

// TuningFor finds a name in the table and among the kits' tunables.
func TuningFor(name string, reg kits.Registry) (Tuning, bool) {
	for _, t := range Tunings(reg) {
		if t.Name == name {
			return t, true
		}
	}
	return Tuning{}, false
}

// Tunings are the table's rows followed by what kits add, sorted by kit. A kit that
// declares a name of the table changes its default.
func Tunings(reg kits.Registry) []Tuning {
	all := TuningTable()
	at := make(map[string]int, len(all))
	for i, t := range all {
		at[t.Name] = i
	}
	for _, kit := range reg.Names() {
		for _, d := range reg[kit].Tunables() {
			if i, known := at[d.Name]; known {
				if d.Default != "" {
					all[i].Default = d.Default
				}
				continue
			}
			at[d.Name] = len(all)
			all = append(all, Tuning{Name: d.Name, Default: d.Default, Kind: kindOfUnit(d.Unit), Max: 1 << 30, Help: d.Help})
		}
	}
	return all
}

// TuningsOf are the rows that mean something in an estate: those of the table, and those of the kits that it has resources
// of or sets values for. What one may set is [Tunings].
func TuningsOf(e *Estate, reg kits.Registry) []Tuning {
	if e == nil { // before anything was applied
		e = &Estate{}
	}
	set := maps.Clone(e.Tuning)
	if set == nil {
		set = map[string]string{}
	}
	for i := range e.Servers {
		maps.Copy(set, e.Servers[i].Tuning)
	}
	used := kits.Registry{}
	for name, kit := range reg {
		if slices.ContainsFunc(e.Res, func(r Resource) bool { return r.Kit == name }) ||
			slices.ContainsFunc(kit.Tunables(), func(t kits.Tunable) bool { _, ok := set[t.Name]; return ok }) {
			used[name] = kit
		}
	}
	return Tunings(used)
}

func kindOfUnit(unit string) TuningKind {
	switch unit {
	case "s", "seconds":
		return TuningSeconds
	case "count", "n":
		return TuningCount
	case "0/1", "switch", "bool":
		return TuningSwitch
	}
	return TuningText
}

// tuningOf collects what is in force on a server. Later layers win.
func (x *Index) tuningOf(s *Server, table []Tuning) map[string]string {
	all := make(map[string]string, len(table))
	for _, t := range table {
		all[t.Name] = t.Default
	}
	x.addQuorumDefaults(all, s)
	for name, v := range x.estate.Tuning {
		all[name] = v
	}
	x.addClusterQuorum(all, s)
	for name, v := range s.Tuning {
		all[name] = v
	}
	return all
}

// Tuning is everything in force on a server, by name; nil for an unknown server.
// The map is shared: do not change it.
func (x *Index) Tuning(server string) map[string]string { return x.facts.tuning[server] }

// Effective is one value in force on a server, as text. For a server that is not
// in the estate it is what holds for all.
func (x *Index) Effective(server, name string) string {
	if all, ok := x.facts.tuning[server]; ok {
		return all[name]
	}
	return x.facts.forAll[name]
}

// Int is Effective as a number. A value that cannot be read (Validate refuses
// those) gives the default.
func (x *Index) Int(server, name string) int {
	if n, err := strconv.Atoi(x.Effective(server, name)); err == nil {
		return n
	}
	n, _ := strconv.Atoi(x.facts.defaults[name])
	return n
}

// Seconds is Effective as a duration; the same holds as for Int.
func (x *Index) Seconds(server, name string) time.Duration {
	if d, err := ParseSeconds(x.Effective(server, name)); err == nil {
		return d
	}
	d, _ := ParseSeconds(x.facts.defaults[name])
	return d
}
