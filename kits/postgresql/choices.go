package postgresql

import (
	"context"
	_ "embed" // the script
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

//go:embed sh/choices.sh
var choicesSh string

// Choices offers what is found on the node: data directories, binaries of their version, and what the
// configuration says. Fields that were answered already narrow the rest down. It changes nothing.
func (Kit) Choices(ctx context.Context, h kits.Host, in kits.Instance, field string) ([]string, error) {
	if field == FieldDBUser {
		return unique(DefaultUser, in.Attrs[FieldOSUser]), nil
	}
	args := append([]string{in.Attrs[FieldData]}, mounts(in)...)
	res, err := h.Run(ctx, kits.Script{Name: "postgresql/choices", Body: choicesSh, Args: args, Deadline: 20 * time.Second})
	if err != nil {
		return nil, fmt.Errorf("asking %s for its PostgreSQL installations: %w", in.Node.Name, err)
	}
	a, err := parse(res)
	if err != nil {
		return nil, fmt.Errorf("asking %s for its PostgreSQL installations: %w", in.Node.Name, err)
	}
	return discover(a).offer(in, field), nil
}

// found is what PostgreSQL there is on a node.
type found struct {
	data    []dataDir
	bins    []binDir
	confs   []confFile
	sockets []string
	logs    []string
}

type dataDir struct{ version, owner, path string }

type binDir struct{ path, version string }

type confFile struct{ path, data, port, sockets string }

// discover reads the script's answer. Lines of another form are left out.
func discover(a answer) found {
	var f found
	for _, m := range a.list {
		w := strings.SplitN(m.value, " ", 3)
		switch {
		case m.word == "data" && len(w) == 3 && isPath(w[2]):
			f.data = append(f.data, dataDir{w[0], w[1], w[2]})
		case m.word == "bin" && len(w) > 1 && isPath(w[0]):
			f.bins = append(f.bins, binDir{w[0], majorOf(m.value)})
		case m.word == "conf" && isPath(m.value):
			f.confs = append(f.confs, confFile{path: m.value, data: strings.TrimSuffix(m.value, "/postgresql.conf")})
		case m.word == "line" && len(f.confs) > 0:
			f.confs[len(f.confs)-1].set(m.value)
		case m.word == "sockets" && isPath(m.value):
			f.sockets = append(f.sockets, m.value)
		case m.word == "log" && isPath(m.value):
			f.logs = append(f.logs, m.value)
		}
	}
	return f
}

func (c *confFile) set(line string) {
	name, value, ok := setting(line)
	switch {
	case !ok:
	case name == "data_directory" && isPath(value):
		c.data = value
	case name == "port" && isPort(value):
		c.port = value
	case name == "unix_socket_directories":
		c.sockets = value
	}
}

// offer lists a field's choices, the likeliest first.
func (f found) offer(in kits.Instance, field string) []string {
	var out []string
	dir, conf := f.chosen(in)
	switch field {
	case FieldData:
		for _, d := range f.data {
			out = append(out, d.path)
		}
		for _, c := range f.confs {
			out = append(out, c.data)
		}
	case FieldBin:
		for _, b := range f.bins {
			if dir.version == "" || b.version == dir.version {
				out = append(out, b.path)
			}
		}
	case FieldPort:
		out = unique(conf.port, DefaultPort)
	case FieldSocket:
		for s := range strings.SplitSeq(conf.sockets, ",") {
			if s = strings.TrimSpace(s); isPath(s) {
				out = append(out, s)
			}
		}
		out = append(out, f.sockets...)
	case FieldOSUser:
		out = unique(dir.owner, DefaultUser)
	case FieldConfig:
		for _, c := range f.confs {
			if !inside(c) && (dir.path == "" || c.data == dir.path) {
				out = append(out, c.path)
			}
		}
	case FieldLog:
		out = f.logs
	case FieldVersion:
		out = unique(dir.version)
	}
	return unique(out...)
}

// chosen is the data directory that was answered, and the configuration that goes with it.
func (f found) chosen(in kits.Instance) (dir dataDir, conf confFile) {
	dir.path, dir.version = in.Attrs[FieldData], in.Attrs[FieldVersion]
	for _, d := range f.data {
		if d.path == dir.path {
			dir = d
		}
	}
	for _, c := range f.confs {
		if c.path == in.Attrs[FieldConfig] || in.Attrs[FieldConfig] == "" && c.data == dir.path {
			conf = c
		}
	}
	return dir, conf
}

// inside tells that the file lies in its own data directory, where the server finds it by itself.
func inside(c confFile) bool { return c.path == c.data+"/postgresql.conf" }

// unique drops what is empty or comes again.
func unique(all ...string) []string {
	var out []string
	for _, s := range all {
		if s != "" && s != "?" && s != "UNKNOWN" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
