package nodesim

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A simulated PostgreSQL: its data lies in files of the data directory, and so on the disk that is mounted
// there. A server is a process (HoldMount) that works in the directory, takes the lock postmaster.pid,
// replays after a crash, and answers psql. What it commits is on the disk before it is acknowledged: a frozen disk lets
// commits wait, a full or broken one makes the server panic. One table is simulated: numbered rows, in
// PostgresRows below the data directory.

// PostgresRows is the file of the rows below a data directory, one number a line in the order of the commits.
const PostgresRows = "base/rows"

// Where Debian's package puts things.
const (
	PostgresBin    = "/usr/lib/postgresql/15/bin"
	PostgresSocket = "/var/run/postgresql"
)

// postgresCommands are those of PostgreSQL. The binaries lie where InstallPostgres puts them, and lead here.
func postgresCommands() map[string]func(*command) int {
	return map[string]func(*command) int{"/.sim/postgres": postgresProgram}
}

// pgWorld is a node's servers.
type pgWorld struct {
	node *Node

	mu      sync.Mutex // never held while waiting, nor while the node's own locks are taken
	servers map[int]*pgServer
	nextPID int
	replay  time.Duration
	refuses string // what clients are told instead of being let in
}

func newPostgres(n *Node) *pgWorld {
	return &pgWorld{node: n, servers: map[int]*pgServer{}, nextPID: 3000, replay: time.Second}
}

// InstallPostgres puts the programs of a version ("15.18") into a directory of the node, and makes the user
// postgres unless there is one.
func (n *Node) InstallPostgres(binDir, version string) error {
	for _, name := range []string{"postgres", "pg_ctl", "psql", "pg_isready"} {
		text := fmt.Sprintf("/.sim/postgres %s %s \"$@\"\n", version, name)
		if err := n.WriteFile(path.Join(binDir, name), text, true); err != nil {
			return fmt.Errorf("installing PostgreSQL on %s: %w", n.name, err)
		}
	}
	if _, there := n.users()["postgres"]; there {
		return nil
	}
	return n.AddUser("postgres", 105)
}

// InitPostgres makes a cluster in a directory, as initdb does: on the disk that is mounted there at this moment.
func (n *Node) InitPostgres(data, version string, port int) error {
	major, _, _ := strings.Cut(version, ".")
	for name, text := range map[string]string{
		"PG_VERSION": major + "\n", "postgresql.conf": fmt.Sprintf("port = %d\n", port), PostgresRows: "",
		"global/pg_control": pgShutDown + "\n", "pg_wal/000000010000000000000001": "",
	} {
		if err := n.WriteFile(path.Join(data, name), text, false); err != nil {
			return fmt.Errorf("making a cluster in %s of %s: %w", data, n.name, err)
		}
	}
	return nil
}

// What pg_control says of a cluster.
const (
	pgShutDown     = "shut down"
	pgInProduction = "in production"
)

// PostgresRuns tells whether a server of the data directory accepts connections.
func (n *Node) PostgresRuns(data string) bool {
	s := n.postgres.find(func(s *pgServer) bool { return s.data == data })
	return s != nil && n.postgres.state(s) == pgReady
}

// KillPostgres kills the server of a data directory, its children with it, as the kernel does when memory runs out.
func (n *Node) KillPostgres(data string) error {
	return n.withPostgres(data, func(s *pgServer) { n.postgres.kill(s) })
}

// HangPostgres stops the server of a data directory where it is: it accepts connections and never answers.
func (n *Node) HangPostgres(data string) error {
	return n.withPostgres(data, func(s *pgServer) { n.postgres.hang(s, true) })
}

// ResumePostgres lets a hung one go on.
func (n *Node) ResumePostgres(data string) error {
	return n.withPostgres(data, func(s *pgServer) { n.postgres.hang(s, false) })
}

// RefusePostgres lets every server of the node turn clients away with these words ("sorry, too many clients
// already"); empty lets them in again.
func (n *Node) RefusePostgres(words string) {
	n.postgres.mu.Lock()
	n.postgres.refuses = words
	n.postgres.mu.Unlock()
}

// SetPostgresReplay is how long a start takes after a crash; 1 s unless it is set.
func (n *Node) SetPostgresReplay(d time.Duration) {
	n.postgres.mu.Lock()
	n.postgres.replay = d
	n.postgres.mu.Unlock()
}

func (n *Node) withPostgres(data string, f func(*pgServer)) error {
	s := n.postgres.find(func(s *pgServer) bool { return s.data == data })
	if s == nil {
		return fmt.Errorf("no server runs in %s on %s", data, n.name)
	}
	f(s)
	return nil
}

// find is a server that lives; nil when there is none.
func (w *pgWorld) find(which func(*pgServer) bool) *pgServer {
	w.mu.Lock()
	var all []*pgServer
	for _, s := range w.servers {
		all = append(all, s)
	}
	w.mu.Unlock()
	for _, s := range all {
		if which(s) && w.lives(s) {
			return s
		}
	}
	return nil
}

// lives: its process is there. Whoever ends the process ends the server.
func (w *pgWorld) lives(s *pgServer) bool {
	return s.ctx.Err() == nil && w.node.Powered() && w.node.Alive(s.pid)
}

// listens: a server that lives has the port.
func (w *pgWorld) listens(port int) bool {
	return w.find(func(s *pgServer) bool { return s.port == port }) != nil
}

// PostgresFile reads the numbers in the text of PostgresRows.
func PostgresFile(text string) []int {
	var out []int
	for _, l := range lines(text) {
		if i, err := strconv.Atoi(l); err == nil {
			out = append(out, i)
		}
	}
	return out
}
