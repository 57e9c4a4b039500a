package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// UnitState says what became of a unit on a node.
type UnitState string

// The states of a unit.
const (
	UnitStarting UnitState = "starting" // handed over, not yet running (or never started: then awaiting it says so)
	UnitRunning  UnitState = "running"
	UnitFinished UnitState = "finished" // Status and Exit say how
	UnitTurned   UnitState = "turned"   // refused or locked: nothing was run
	UnitLost     UnitState = "lost"     // killed from outside: what it did is unknown
)

// Unit is one line of VerbList.
type Unit struct {
	Name   string
	State  UnitState
	Status Status // empty unless finished or turned
	Exit   int    // meaningful when finished or turned
}

// ParseUnits reads what VerbList printed.
func ParseUnits(text []byte) ([]Unit, error) {
	var units []Unit
	for line := range strings.Lines(string(text)) {
		w := strings.Fields(line)
		if len(w) != 4 || !valid.unit.MatchString(w[0]) {
			return nil, fmt.Errorf("list of units: cannot read line %q", line)
		}
		u := Unit{Name: w[0], State: UnitState(w[1])}
		switch u.State {
		case UnitStarting, UnitRunning, UnitLost:
		case UnitFinished, UnitTurned:
			exit, err := strconv.ParseUint(w[3], 10, 8)
			if u.Status, u.Exit = Status(w[2]), int(exit); err != nil || !u.Status.known() {
				return nil, fmt.Errorf("list of units: cannot read line %q", line)
			}
		default:
			return nil, fmt.Errorf("list of units: cannot read line %q", line)
		}
		units = append(units, u)
	}
	return units, nil
}

// FormatUnits writes what VerbList prints; for simulated nodes.
func FormatUnits(units []Unit) string {
	var b strings.Builder
	for _, u := range units {
		if u.Status == "" {
			fmt.Fprintf(&b, "%s %s - -\n", u.Name, u.State)
		} else {
			fmt.Fprintf(&b, "%s %s %s %d\n", u.Name, u.State, u.Status, u.Exit)
		}
	}
	return b.String()
}
