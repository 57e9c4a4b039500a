package nodesim

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
)

// A simulated Oracle: what a node knows of it lies in files of that node, and in the database's own files on the disk that
// is mounted where they are. An instance is its processes (HoldMount), and a file below oracleRun that says how
// far it is; so it goes with the power, and with its PMON. What sqlplus and lsnrctl print follows Oracle's
// documentation: see kits/oracle/testdata, which plays the same sessions for real shells.

// oracleRun is where instances and listeners are noted; it does not survive a boot.
const oracleRun = "/run/.oracle/"

// oracleCommands are those of Oracle and its listener. The programs lie where InstallOracle puts them, and lead here.
func oracleCommands() map[string]func(*command) int {
	return map[string]func(*command) int{"/.sim/oracle": oracleProgram, "getent": getentCommand}
}

// OracleSetup is an installation with one database.
type OracleSetup struct {
	// Home is ORACLE_HOME, SID the instance, Owner the user it runs as.
	Home, SID, Owner string
	// Data is the directory of its files, below a mount point: "/oradata/ORCL". The recovery area is beside it.
	Data string
	// ListenerOra is the text of listener.ora; it may be empty.
	ListenerOra string
}

// InstallOracle puts an installation on the node, on its own disk: programs, oratab, parameter file, listener.ora, and the owner
// unless there is one. The database's files are CreateOracle's.
func (n *Node) InstallOracle(o OracleSetup) error {
	files := map[string]string{
		"/etc/oratab": fmt.Sprintf("# SID:ORACLE_HOME:start at boot\n%s:%s:N\n", o.SID, o.Home),
		path.Join(o.Home, "dbs", "spfile"+o.SID+".ora"): fmt.Sprintf("control_files='%s/control01.ctl'\ndb_recovery_file_dest='%s/fra'\n", o.Data, path.Dir(o.Data)),
	}
	if old, err := n.ReadFile("/etc/oratab"); err == nil {
		files["/etc/oratab"] = old + fmt.Sprintf("%s:%s:N\n", o.SID, o.Home)
	}
	if o.ListenerOra != "" {
		files[path.Join(o.Home, "network/admin/listener.ora")] = o.ListenerOra
	}
	for p, text := range files {
		if err := n.WriteFile(p, text, false); err != nil {
			return fmt.Errorf("installing Oracle on %s: %w", n.name, err)
		}
	}
	for _, name := range []string{"oracle", "sqlplus", "lsnrctl", "tnslsnr", "tnsping"} {
		if err := n.WriteFile(path.Join(o.Home, "bin", name), fmt.Sprintf("/.sim/oracle %s \"$@\"\n", name), true); err != nil {
			return fmt.Errorf("installing Oracle on %s: %w", n.name, err)
		}
	}
	if _, there := n.users()[o.Owner]; there {
		return nil
	}
	return n.AddUser(o.Owner, 54321)
}

// CreateOracle makes the database's files, on the disk that is mounted there at this moment.
func (n *Node) CreateOracle(o OracleSetup) error {
	c := oraControl{clean: true, role: "PRIMARY", mode: "READ WRITE"}
	for p, text := range map[string]string{
		"control01.ctl": c.text(), "system01.dbf": "system\n", "users01.dbf": "", "redo01.log": "",
	} {
		if err := n.WriteFile(path.Join(o.Data, p), text, false); err != nil {
			return fmt.Errorf("making the database %s on %s: %w", o.SID, n.name, err)
		}
	}
	return n.fs.mkdir(path.Join(path.Dir(o.Data), "fra"), true)
}

// oraControl is what the control file says. It moves with the data.
type oraControl struct {
	clean      bool // shut down in good order
	role, mode string
	backup     int // data files in backup mode
	behind     int // those of them that were restored
}

func (c oraControl) text() string {
	return fmt.Sprintf("clean=%v\nrole=%s\nmode=%s\nbackup=%d\nbehind=%d\n", c.clean, c.role, c.mode, c.backup, c.behind)
}

// oraState is a note below oracleRun: name → value.
type oraState map[string]string

func readState(text string) oraState {
	s := oraState{}
	for _, l := range lines(text) {
		if k, v, ok := strings.Cut(l, "="); ok {
			s[k] = v
		}
	}
	return s
}

func (n *Node) oraControl(file string) (oraControl, error) {
	text, err := n.ReadFile(file)
	s := readState(text)
	c := oraControl{clean: s["clean"] == "true", role: s["role"], mode: s["mode"]}
	c.backup, _ = strconv.Atoi(s["backup"])
	c.behind, _ = strconv.Atoi(s["behind"])
	return c, err
}

// note reads what is noted of an instance or a listener; nil when there is nothing.
func (n *Node) note(name string) oraState {
	text, err := n.ReadFile(oracleRun + name)
	if err != nil {
		return nil
	}
	return readState(text)
}

func (n *Node) keep(name string, s oraState) {
	var b strings.Builder
	for _, k := range []string{"home", "status", "pid", "pids", "control", "area", "since", "hung", "archiver", "logins", "login", "file", "ports", "name"} {
		if v, ok := s[k]; ok {
			fmt.Fprintf(&b, "%s=%s\n", k, v)
		}
	}
	_ = n.WriteFile(oracleRun+name, b.String(), false)
}

// instance is an instance's note; one whose PMON is gone has gone with it, and so have its other processes.
func (n *Node) instance(sid string) oraState {
	s := n.note(sid)
	if s == nil {
		return nil
	}
	if pid, _ := strconv.Atoi(s["pid"]); n.Alive(pid) {
		return s
	}
	n.endInstance(sid, s)
	return nil
}

func (n *Node) endInstance(sid string, s oraState) {
	n.fs.mu.Lock()
	for _, p := range strings.Fields(s["pid"] + " " + s["pids"]) {
		if pid, err := strconv.Atoi(p); err == nil {
			n.disks.end(pid)
		}
	}
	n.fs.mu.Unlock()
	_ = n.fs.remove(oracleRun+sid, false)
	if s["status"] == "OPEN" {
		n.tellOracle(sid, false)
	}
}

func (n *Node) tellOracle(sid string, up bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.power {
		n.tell("oracle", sid, up)
	}
}

// oraProcess starts one that holds a file, under the name that Oracle gives it and with its program below the home.
// The name stands there as the kernel shows it, but for the NUL at its end, which the interpreter's read would keep.
func (n *Node) oraProcess(name, program, holds string) int {
	pid := 5000
	for n.HoldMount(Holder{PID: pid, Command: name, Path: holds, IgnoresTerm: true}) != nil {
		pid++
	}
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	dir := "/proc/" + strconv.Itoa(pid)
	n.fs.files[dir+"/exe"] = &inode{link: program, mode: 0o777}
	n.fs.files[dir+"/cmdline"] = &inode{data: []byte(name), mode: 0o444}
	return pid
}

// oracleProgram is one of the programs below bin, by its name.
func oracleProgram(c *command) int {
	name, args := c.arg(0), c.args[min(1, len(c.args)):]
	d := *c
	d.name, d.args = name, args
	switch name {
	case "sqlplus":
		return d.sqlplus()
	case "lsnrctl":
		return d.lsnrctl()
	case "tnsping":
		return d.tnsping()
	}
	return d.fail(1, "is not started by hand")
}

// oraWait is how long the stages take on a quick machine.
const (
	oraNomount  = 3 * time.Second
	oraMount    = time.Second
	oraOpen     = 2 * time.Second
	oraRecovery = 4 * time.Second
	oraShutdown = 3 * time.Second
)
