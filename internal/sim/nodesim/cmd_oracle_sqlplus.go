package nodesim

import (
	"fmt"
	"path"
	"strings"
	"time"
)

const (
	oraIdle  = "ORA-01034: ORACLE not available\nORA-27101: shared memory realm does not exist\nLinux-x86_64 Error: 2: No such file or directory"
	oraTwice = "ORA-01081: cannot start already-running ORACLE - shut it down first"
)

// oraSession is sqlplus while it runs.
type oraSession struct {
	*command
	sid, home string
	s         oraState // nil = idle
}

// sqlplus is sqlplus -S -L / as sysdba, with the statements on its input; the statements are those that the kits use.
func (c *command) sqlplus() int {
	o := &oraSession{command: c, sid: c.env.Get("ORACLE_SID").String(), home: c.env.Get("ORACLE_HOME").String()}
	if o.sid == "" || o.home == "" || c.arg(0) != "-S" || c.arg(1) != "-L" {
		return c.fail(1, "this way of calling it is not simulated")
	}
	input := lines(string(c.input()))
	if !o.answers() {
		return terminated
	}
	o.look()
	if said := o.s["login"]; said != "" {
		return c.say("ERROR:", said, "", "", "SP2-0751: Unable to connect to Oracle.  Exiting SQL*Plus") + 1
	}
	for _, l := range input {
		if !o.statement(strings.TrimSpace(l)) {
			return terminated
		}
	}
	return 0
}

// look brings what is known of the instance up to date. Another home's is not seen.
func (o *oraSession) look() {
	o.s = o.node.instance(o.sid)
	if o.s != nil && o.s["home"] != o.home {
		o.s = nil
	}
}

// answers waits as long as the instance hangs; false = the command's time was over before.
func (o *oraSession) answers() bool {
	for {
		if s := o.node.instance(o.sid); s == nil || s["hung"] == "" {
			return true
		}
		if sleep(o.ctx, 250*time.Millisecond) != nil {
			return false
		}
	}
}

// statement carries one line out; false = the command's time was over before.
func (o *oraSession) statement(l string) bool {
	switch {
	case strings.HasPrefix(l, "prompt "):
		o.say(strings.TrimPrefix(l, "prompt "))
	case strings.HasPrefix(l, "startup nomount"):
		return o.startup(l)
	case l == "alter database mount;":
		return o.mount()
	case l == "alter database open;":
		return o.open()
	case l == "alter database end backup;":
		return o.endBackup()
	case l == "alter system register;":
		o.say("", "System altered.", "")
	case l == "shutdown immediate" || l == "shutdown abort":
		return o.shutdown(l)
	case strings.HasPrefix(l, "select "):
		return o.query(l)
	}
	return true
}

// has tells whether the instance is as far as one of these.
func (o *oraSession) has(states ...string) bool {
	for _, s := range states {
		if o.s != nil && o.s["status"] == s {
			return true
		}
	}
	return false
}

func (o *oraSession) wrong(text string) { o.say("", "*", "ERROR at line 1:", text) }

// query answers the kit's questions, by the view they ask.
func (o *oraSession) query(l string) bool {
	_, from, _ := strings.Cut(l, " from ")
	view := strings.TrimRight(strings.Fields(from + " -")[0], ";")
	if o.s == nil {
		o.wrong(oraIdle)
		return true
	}
	if view == "v$instance" {
		or := func(v, def string) string {
			if v == "" {
				return def
			}
			return v
		}
		o.say(fmt.Sprintf("ferry|instance|%s|%s|ACTIVE|%s|%s|%s|NO|19.0.0.0.0|%s|", o.sid, o.s["status"], or(o.s["archiver"], "STARTED"),
			or(o.s["logins"], "ALLOWED"), map[bool]string{true: "ARCHIVE LOG", false: "-"}[o.s["archiver"] == "FAILED"], o.s["since"]))
		return true
	}
	if !o.has("MOUNTED", "OPEN") {
		o.wrong("ORA-01507: database not mounted")
		return true
	}
	// The control file is read from its disk.
	if o.node.disks.settlePath(o.ctx, o.s["control"], false) != nil {
		return o.ctx.Err() == nil
	}
	ctl, err := o.node.oraControl(o.s["control"])
	if err != nil {
		o.wrong("ORA-00202: control file: '" + o.s["control"] + "'")
		return true
	}
	o.row(view, ctl)
	return true
}

func (o *oraSession) row(view string, ctl oraControl) {
	data := path.Dir(o.s["control"]) + "/"
	mode := ctl.mode
	if !o.has("OPEN") {
		mode = "MOUNTED"
	}
	for v, row := range map[string]string{
		"v$database":           fmt.Sprintf("database|%s|%s|%s|ARCHIVELOG|CURRENT", o.sid, mode, ctl.role),
		"v$backup":             fmt.Sprintf("backup|%d|%d", ctl.backup, ctl.behind),
		"v$archive_dest":       "dest|1|" + map[bool]string{true: "ERROR", false: "VALID"}[o.s["archiver"] == "FAILED"] + "|MANDATORY|USE_DB_RECOVERY_FILE_DEST|",
		"v$recovery_file_dest": "recovery|" + o.s["area"] + "|" + map[bool]string{true: "100", false: "31"}[o.s["archiver"] == "FAILED"],
		"v$datafile":           "data|" + data,
		"v$tempfile":           "temp|" + data,
		"v$logfile":            "redo|" + data,
		"v$controlfile":        "control|" + data,
	} {
		if v == view {
			o.say("ferry|" + row + "|")
		}
	}
}

// parameters reads the parameter file: the usual one, or the one that "startup nomount pfile='…'" names, which
// may name another.
func (o *oraSession) parameters(l string) (oraState, string) {
	file := path.Join(o.home, "dbs", "spfile"+o.sid+".ora")
	if _, rest, ok := strings.Cut(l, "pfile='"); ok {
		file = strings.TrimSuffix(rest, "'")
	}
	for range 2 {
		text, err := o.node.ReadFile(file)
		if err != nil {
			return nil, file
		}
		p := readState(strings.ReplaceAll(text, "'", ""))
		if p["spfile"] == "" {
			return p, file
		}
		file = p["spfile"]
	}
	return nil, file
}

func (o *oraSession) startup(l string) bool {
	if o.s != nil {
		o.say(oraTwice)
		return true
	}
	p, file := o.parameters(l)
	if p == nil {
		o.say("ORA-01078: failure in processing system parameters", "LRM-00109: could not open parameter file '"+file+"'")
		return true
	}
	if sleep(o.ctx, oraNomount) != nil {
		return false
	}
	pid := o.node.oraProcess("ora_pmon_"+o.sid, o.home+"/bin/oracle", o.home)
	o.node.keep(o.sid, oraState{
		"home": o.home, "status": "STARTED", "pid": fmt.Sprint(pid), "control": p["control_files"],
		"area": p["db_recovery_file_dest"], "since": time.Now().UTC().Format("2006-01-02 15:04:05"),
	})
	o.look()
	o.say("ORACLE instance started.", "", "Total System Global Area 1207958960 bytes")
	return true
}

// change notes how far the instance has come; one that was killed meanwhile is gone.
func (o *oraSession) change(to string) {
	if o.look(); o.s == nil {
		o.wrong("ORA-03113: end-of-file on communication channel")
		return
	}
	o.s["status"] = to
	o.node.keep(o.sid, o.s)
	o.say("", "Database altered.", "")
	if to == "OPEN" {
		o.node.tellOracle(o.sid, true)
	}
}

func (o *oraSession) mount() bool {
	switch {
	case o.s == nil:
		o.wrong(oraIdle)
		return true
	case !o.has("STARTED"):
		o.wrong("ORA-01100: database already mounted")
		return true
	case sleep(o.ctx, oraMount) != nil:
		return false
	}
	_, err := o.node.oraControl(o.s["control"])
	if err == nil {
		err = o.node.disks.settlePath(o.ctx, o.s["control"], false)
	}
	if err != nil {
		o.wrong("ORA-00205: error in identifying control file, check alert log for more info")
		return o.ctx.Err() == nil
	}
	pids := []string{
		fmt.Sprint(o.node.oraProcess("ora_dbw0_"+o.sid, o.home+"/bin/oracle", path.Join(path.Dir(o.s["control"]), "system01.dbf"))),
		fmt.Sprint(o.node.oraProcess("ora_lgwr_"+o.sid, o.home+"/bin/oracle", path.Join(path.Dir(o.s["control"]), "redo01.log"))),
	}
	o.s["pids"] = strings.Join(pids, " ")
	o.node.keep(o.sid, o.s)
	o.change("MOUNTED")
	return true
}

func (o *oraSession) open() bool {
	if !o.has("MOUNTED") {
		o.wrong(map[bool]string{true: oraIdle, false: "ORA-01507: database not mounted"}[o.s == nil])
		return true
	}
	ctl, err := o.node.oraControl(o.s["control"])
	if err != nil {
		o.wrong("ORA-00202: control file: '" + o.s["control"] + "'")
		return true
	}
	if ctl.backup > 0 {
		o.wrong("ORA-10873: file 1 needs to be either taken out of backup mode or media recovered\nORA-01110: data file 1: '" + path.Dir(o.s["control"]) + "/system01.dbf'")
		return true
	}
	takes := oraOpen
	if !ctl.clean {
		takes += oraRecovery
	}
	if sleep(o.ctx, takes) != nil {
		return false
	}
	ctl.clean = false
	if err := o.node.writeControl(o.command, o.s["control"], ctl); err != nil {
		o.wrong("ORA-00206: error in writing (block 1, # blocks 1) of control file")
		return o.ctx.Err() == nil
	}
	o.change("OPEN")
	return true
}

// writeControl writes the control file through to its disk.
func (n *Node) writeControl(c *command, file string, ctl oraControl) error {
	if err := n.disks.settlePath(c.ctx, file, true); err != nil {
		return err
	}
	return n.WriteFile(file, ctl.text(), false)
}

func (o *oraSession) endBackup() bool {
	if o.s == nil {
		o.wrong(oraIdle)
		return true
	}
	ctl, err := o.node.oraControl(o.s["control"])
	if err == nil {
		ctl.backup, ctl.behind = 0, 0
		err = o.node.writeControl(o.command, o.s["control"], ctl)
	}
	if err != nil {
		o.wrong("ORA-00206: error in writing (block 1, # blocks 1) of control file")
		return o.ctx.Err() == nil
	}
	o.say("", "Database altered.", "")
	return true
}

// shutdown is immediate, which leaves the files in order, or abort, which does not.
func (o *oraSession) shutdown(l string) bool {
	if o.s == nil {
		o.say(oraIdle)
		return true
	}
	if l == "shutdown immediate" {
		if sleep(o.ctx, oraShutdown) != nil {
			return false
		}
		if o.has("OPEN") {
			ctl, err := o.node.oraControl(o.s["control"])
			if ctl.backup > 0 {
				o.say("ORA-01149: cannot shutdown - file 1 has online backup set")
				return true
			}
			ctl.clean = true
			if err != nil || o.node.writeControl(o.command, o.s["control"], ctl) != nil {
				o.say("ORA-00206: error in writing (block 1, # blocks 1) of control file")
				return o.ctx.Err() == nil
			}
			o.say("Database closed.", "Database dismounted.")
		}
	}
	o.node.endInstance(o.sid, o.s)
	o.s = nil
	o.say("ORACLE instance shut down.")
	return true
}
