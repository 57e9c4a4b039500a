package nodesim

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// postgresProgram is one of the programs: VERSION NAME ARGS….
func postgresProgram(c *command) int {
	if len(c.args) < 2 {
		return c.fail(127, "which program?")
	}
	version, name := c.args[0], c.args[1]
	d := *c
	d.name, d.args = name, c.args[2:]
	switch name {
	case "postgres":
		return d.postgres(version)
	case "pg_ctl":
		return d.pgCtl()
	case "psql":
		return d.psql()
	case "pg_isready":
		return d.pgIsReady()
	}
	return c.fail(127, "%s is not simulated", name)
}

// pgFatal says why a server does not start.
func (c *command) pgFatal(format string, args ...any) int {
	fmt.Fprintf(c.err, "FATAL:  "+format+"\n", args...)
	return 1
}

// postgres is the server: -V, -C SETTING, or -D DIRECTORY with -c NAME=VALUE.
func (c *command) postgres(version string) int {
	opts := c.pgOptions()
	if _, asked := opts["-V"]; asked {
		return c.say("postgres (PostgreSQL) " + version)
	}
	data := absolute("/", opts["-D"])
	conf := opts["config_file"]
	if conf == "" {
		conf = path.Join(data, "postgresql.conf")
	}
	set := map[string]string{"port": "5432", "unix_socket_directories": PostgresSocket, "data_directory": data}
	text, err := c.node.ReadFile(conf)
	if err != nil {
		return c.fail(2, "could not access the server configuration file \"%s\": No such file or directory", conf)
	}
	for _, l := range lines(text) {
		name, value, _ := strings.Cut(l, "=")
		set[strings.TrimSpace(name)] = strings.Trim(strings.TrimSpace(value), "'")
	}
	for _, o := range []string{"port", "unix_socket_directories"} {
		if v, ok := opts[o]; ok {
			set[o] = v
		}
	}
	if name, asked := opts["-C"]; asked {
		return c.say(set[name])
	}
	return c.runPostgres(version, set)
}

func (c *command) runPostgres(version string, set map[string]string) int {
	data := set["data_directory"]
	held, err := c.node.ReadFile(path.Join(data, "PG_VERSION"))
	major, _, _ := strings.Cut(version, ".")
	switch {
	case err != nil:
		return c.pgFatal("\"%s\" is not a valid data directory", data)
	case firstLine(held) != major:
		return c.pgFatal("database files are incompatible with server\nDETAIL:  The data directory was initialized by PostgreSQL version %s, which is not compatible with this version %s.", firstLine(held), version)
	}
	s := &pgServer{
		port: c.number(set["port"], 5432), data: data, version: version, started: time.Now(),
		ctx: c.ctx, signals: make(chan string, 8),
	}
	for d := range strings.SplitSeq(set["unix_socket_directories"], ",") {
		s.sockets = append(s.sockets, strings.TrimSpace(d))
	}
	return c.node.postgres.serve(c, s)
}

// pgOptions reads the server's options; a setting stands under its own name.
func (c *command) pgOptions() map[string]string {
	out := map[string]string{}
	for i := 0; i < len(c.args); i++ {
		switch a := c.args[i]; {
		case a == "-V" || a == "--version":
			out["-V"] = "y"
		case (a == "-D" || a == "-C") && i+1 < len(c.args):
			i++
			out[a] = c.args[i]
		case a == "-c" && i+1 < len(c.args):
			i++
			name, value, _ := strings.Cut(c.args[i], "=")
			out[name] = value
		}
	}
	return out
}

// pgCtl is pg_ctl kill SIGNAL PID.
func (c *command) pgCtl() int {
	if len(c.args) != 3 || c.args[0] != "kill" {
		return c.fail(1, "only \"pg_ctl kill SIGNAL PID\" is simulated")
	}
	pid := c.number(c.args[2], 0)
	w := c.node.postgres
	s := w.find(func(s *pgServer) bool { return s.pid == pid })
	switch {
	case s == nil:
		return c.fail(1, "could not send signal %s (PID: %d): No such process", c.args[1], pid)
	case c.args[1] == "KILL":
		w.kill(s)
	default:
		s.signal(c.args[1])
	}
	return 0
}

// pgAt is the server that a client's -h and -p lead to; nil when nobody is there.
func (c *command) pgAt(host string, port int) *pgServer {
	return c.node.postgres.find(func(s *pgServer) bool {
		if s.port != port {
			return false
		}
		if !strings.HasPrefix(host, "/") {
			return true
		}
		_, err := c.node.fs.stat(s.socket(host))
		return err == nil && slices.Contains(s.sockets, host)
	})
}

// answers waits for as long as the server hangs; false when the client's time is over or the server gone.
func (c *command) answers(ctx context.Context, s *pgServer) bool {
	w := c.node.postgres
	for {
		resumed := w.hungUntil(s)
		if resumed == nil {
			return ctx.Err() == nil && w.lives(s)
		}
		select {
		case <-resumed:
		case <-ctx.Done():
			return false
		}
	}
}

// pgIsReady is pg_isready: 0 accepts, 1 rejects, 2 no answer.
func (c *command) pgIsReady() int {
	flags, _ := c.flags("hptUd")
	s := c.pgAt(flags["h"], c.number(flags["p"], 5432))
	if s == nil {
		return 2
	}
	ctx, cancel := context.WithTimeout(c.ctx, time.Duration(c.number(flags["t"], 3))*time.Second)
	defer cancel()
	switch {
	case !c.answers(ctx, s):
		return 2
	case c.node.postgres.state(s) != pgReady:
		return 1
	}
	return 0
}

// psql asks the server. Of SQL it knows the kit's question, "select 1", and inserting and reading numbered rows:
// "insert into rows values (7)", "select * from rows".
func (c *command) psql() int {
	flags, _ := c.flags("hpUdcvFf")
	failed := func(format string, args ...any) int {
		fmt.Fprintf(c.err, "psql: error: connection to server on socket \"%s/.s.PGSQL.%s\" failed: "+format+"\n", append([]any{flags["h"], flags["p"]}, args...)...)
		return 2
	}
	s := c.pgAt(flags["h"], c.number(flags["p"], 5432))
	if s == nil {
		return failed("No such file or directory\n\tIs the server running locally and accepting connections on that socket?")
	}
	w := c.node.postgres
	if !c.answers(c.ctx, s) {
		return failed("server closed the connection unexpectedly")
	}
	w.mu.Lock()
	refuses, status := w.refuses, s.status
	w.mu.Unlock()
	switch {
	case status == pgStarting:
		return failed("FATAL:  the database system is starting up")
	case status == pgStopping:
		return failed("FATAL:  the database system is shutting down")
	case refuses != "":
		return failed("FATAL:  %s", refuses)
	case flags["U"] != "postgres" && flags["U"] != "":
		return failed("FATAL:  role \"%s\" does not exist", flags["U"])
	}
	return c.query(s, flags["c"])
}

func (c *command) query(s *pgServer, sql string) int {
	sql = strings.TrimSuffix(strings.TrimSpace(sql), ";")
	row, insert := strings.CutPrefix(sql, "insert into rows values (")
	switch {
	case strings.HasPrefix(sql, "select 'ferry',"):
		up := int(time.Since(s.started).Seconds())
		return c.say(fmt.Sprintf("ferry|f|off|%s|%d|1|100|%d|0", s.version, up, up%300))
	case sql == "select 1":
		return c.say("1")
	case sql == "select * from rows":
		rows, err := c.node.postgres.rows(s)
		for _, r := range rows {
			c.say(strconv.Itoa(r))
		}
		if err != nil {
			return c.fail(1, "%v", err)
		}
		return 0
	case insert:
		i, err := strconv.Atoi(strings.TrimSuffix(row, ")"))
		if err == nil {
			err = c.node.postgres.commit(c.ctx, s, i)
		}
		if err != nil {
			return c.fail(2, "%v", err)
		}
		return c.say("INSERT 0 1")
	}
	fmt.Fprintf(c.err, "ERROR:  42601: not simulated\n")
	return 1
}
