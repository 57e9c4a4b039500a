package nodesim

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"
)

// oraRows is the data file in which a client's rows are; what it holds is the number of the newest one.
const oraRows = "users01.dbf"

// OracleFiles are the files of a new database in a directory of a disk, by path: what dbca makes. The control file
// says that it was shut down in good order.
func OracleFiles(dir string) map[string]string {
	c := oraControl{clean: true, role: "PRIMARY", mode: "READ WRITE"}
	out := map[string]string{}
	for name, text := range map[string]string{
		"control01.ctl": c.text(), "system01.dbf": "system\n", oraRows: "", "redo01.log": "", "../fra/.keep": "",
	} {
		out[path.Join("/", dir, name)] = text
	}
	return out
}

// OracleSession is a client of a database: the node that serves it, and the instance there.
type OracleSession struct {
	Node string
	n    *Node
	sid  string
	pid  string // of PMON; another one is another instance
	file string
}

// ConnectOracle is a client that connects to a listener at addr ("10.1.0.10:1521"), as Ask finds it, and is handed to
// an instance. The errors are Oracle's own.
func (w *World) ConnectOracle(ctx context.Context, route func(netip.Addr) (node string, ok bool), addr, sid string) (*OracleSession, error) {
	name, err := w.Ask(route, addr)
	if err != nil {
		return nil, err
	}
	n := w.Node(name)
	if err := n.accepts(ctx, addr); err != nil {
		return nil, err
	}
	s := n.instance(sid)
	switch {
	case s == nil:
		return nil, errors.New("ORA-12514: TNS:listener does not currently know of service requested")
	case s["status"] != "OPEN":
		return nil, errors.New("ORA-01033: ORACLE initialization or shutdown in progress")
	case s["login"] != "":
		return nil, errors.New(s["login"])
	}
	return &OracleSession{Node: name, n: n, sid: sid, pid: s["pid"], file: path.Join(path.Dir(s["control"]), oraRows)}, nil
}

// accepts waits until the listener that has the port answers.
func (n *Node) accepts(ctx context.Context, addr string) error {
	_, port, err := splitPort(addr)
	if err != nil {
		return err
	}
	for hung := true; hung; {
		hung = false
		all, _ := n.fs.list(strings.TrimSuffix(oracleRun, "/"))
		for _, f := range all {
			if name, is := strings.CutPrefix(f.Name(), "tnslsnr."); is {
				s := n.listener(name)
				hung = hung || s["hung"] != "" && strings.Contains(s["ports"]+" ", fmt.Sprintf(":%d ", port))
			}
		}
		if hung && sleep(ctx, 250*time.Millisecond) != nil {
			return errors.New("TNS-12535: TNS:operation timed out")
		}
	}
	return nil
}

// errSession is what a client is told whose session ends.
var errSession = errors.New("ORA-03113: end-of-file on communication channel")

// steady waits until the instance answers, the disk does, too, and programs run.
func (o *OracleSession) steady(ctx context.Context, write bool) error {
	for {
		s := o.n.instance(o.sid)
		switch {
		case s == nil || s["pid"] != o.pid || s["status"] != "OPEN":
			return errSession
		case write && s["archiver"] != "":
			return errors.New("ORA-00257: archiver error. Connect AS SYSDBA only until resolved.")
		case s["hung"] != "":
			if sleep(ctx, 250*time.Millisecond) != nil {
				return fmt.Errorf("the session waits: %w", ctx.Err())
			}
			continue
		}
		if err := o.n.gate(ctx); err != nil {
			return err
		}
		if err := o.n.disks.settlePath(ctx, o.file, write); err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("the session waits for the disk: %w", ctx.Err())
			}
			return fmt.Errorf("ORA-01114: IO error writing block to file 4: %w", err)
		}
		if s := o.n.instance(o.sid); s == nil || s["pid"] != o.pid || !o.n.Powered() {
			return errSession // it went meanwhile: nobody can have been told
		}
		return nil
	}
}

// Commit is an insert of a numbered row, committed. Without an error it was acknowledged, and must never be lost; with
// one it may or may not be there.
func (o *OracleSession) Commit(ctx context.Context, row int) error {
	if err := o.steady(ctx, true); err != nil {
		return err
	}
	if err := o.n.WriteFile(o.file, strconv.Itoa(row)+"\n", false); err != nil {
		return fmt.Errorf("ORA-01114: IO error writing block to file 4: %w", err)
	}
	// It is told to the client when it is on the disk, all legs of a mirror included.
	return o.steady(ctx, true)
}

// Newest is the number of the newest row; 0 = there is none.
func (o *OracleSession) Newest(ctx context.Context) (int, error) {
	if err := o.steady(ctx, false); err != nil {
		return 0, err
	}
	text, err := o.n.ReadFile(o.file)
	if err != nil {
		return 0, fmt.Errorf("ORA-01115: IO error reading block from file 4: %w", err)
	}
	row, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil && strings.TrimSpace(text) != "" {
		return 0, errors.New("ORA-01578: ORACLE data block corrupted (file # 4, block # 1)")
	}
	return row, nil
}
