package nodesim

import (
	"fmt"
	"strconv"
)

// withInstance changes what is noted of an instance that runs.
func (n *Node) withInstance(sid string, f func(oraState)) error {
	s := n.instance(sid)
	if s == nil {
		return fmt.Errorf("no instance %s runs on %s", sid, n.name)
	}
	f(s)
	n.keep(sid, s)
	return nil
}

// KillOracle ends an instance as kill -9 to its PMON does. Its files are as a crash leaves them.
func (n *Node) KillOracle(sid string) error {
	s := n.instance(sid)
	if s == nil {
		return fmt.Errorf("no instance %s runs on %s", sid, n.name)
	}
	n.endInstance(sid, s)
	return nil
}

// HangOracle lets every session of an instance wait, until ResumeOracle; its processes stay.
func (n *Node) HangOracle(sid string) error {
	return n.withInstance(sid, func(s oraState) { s["hung"] = "yes" })
}

// ResumeOracle ends HangOracle.
func (n *Node) ResumeOracle(sid string) error {
	return n.withInstance(sid, func(s oraState) { delete(s, "hung") })
}

// StickArchiver fills the recovery area: changes wait, only SYSDBA is let in (ORA-00257). FreeArchiver makes room.
func (n *Node) StickArchiver(sid string) error {
	return n.withInstance(sid, func(s oraState) { s["archiver"] = "FAILED" })
}

// FreeArchiver ends StickArchiver.
func (n *Node) FreeArchiver(sid string) error {
	return n.withInstance(sid, func(s oraState) { delete(s, "archiver") })
}

// RestrictOracle lets administrators in only, or everybody again.
func (n *Node) RestrictOracle(sid string, restricted bool) error {
	return n.withInstance(sid, func(s oraState) {
		delete(s, "logins")
		if restricted {
			s["logins"] = "RESTRICTED"
		}
	})
}

// RefuseOracle lets every login to an instance be answered with these words ("ORA-28001: the password has expired"); empty
// lets them in again.
func (n *Node) RefuseOracle(sid, words string) error {
	return n.withInstance(sid, func(s oraState) {
		delete(s, "login")
		if words != "" {
			s["login"] = words
		}
	})
}

// withControl changes the control file of an instance's database, which is mounted.
func (n *Node) withControl(sid string, f func(*oraControl)) error {
	s := n.instance(sid)
	if s == nil {
		return fmt.Errorf("no instance %s runs on %s", sid, n.name)
	}
	c, err := n.oraControl(s["control"])
	if err != nil {
		return fmt.Errorf("the control file of %s on %s: %w", sid, n.name, err)
	}
	f(&c)
	return n.WriteFile(s["control"], c.text(), false)
}

// BeginBackup puts data files into backup mode. restored of them are older than the control file knows.
func (n *Node) BeginBackup(sid string, files, restored int) error {
	return n.withControl(sid, func(c *oraControl) { c.backup, c.behind = files, restored })
}

// SetOracleRole gives the database another role ("PHYSICAL STANDBY") and says how it opens ("READ ONLY").
func (n *Node) SetOracleRole(sid, role, mode string) error {
	return n.withControl(sid, func(c *oraControl) { c.role, c.mode = role, mode })
}

// OracleStatus is STARTED, MOUNTED or OPEN; empty when the instance does not run.
func (n *Node) OracleStatus(sid string) string {
	if !n.Powered() {
		return ""
	}
	return n.instance(sid)["status"]
}

// KillListener ends a listener as kill -9 does.
func (n *Node) KillListener(name string) error {
	s := n.listener(name)
	if s == nil {
		return fmt.Errorf("no listener %s runs on %s", name, n.name)
	}
	n.endListener(name, s)
	return nil
}

// HangListener lets a listener give no answer any more, or again.
func (n *Node) HangListener(name string, hangs bool) error {
	s := n.listener(name)
	if s == nil {
		return fmt.Errorf("no listener %s runs on %s", name, n.name)
	}
	delete(s, "hung")
	if hangs {
		s["hung"] = "yes"
	}
	n.keep(listenerNote(name), s)
	return nil
}

// ListenerRuns tells whether a listener's process is there.
func (n *Node) ListenerRuns(name string) bool { return n.Powered() && n.listener(name) != nil }

// ListenerPID is a listener's process; 0 when there is none.
func (n *Node) ListenerPID(name string) int {
	pid, _ := strconv.Atoi(n.listener(name)["pid"])
	return pid
}
