package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/sshexec"
	"github.com/ferry-ha/ferry/sshexec/wire"
)

const (
	// putCopyScript takes the estate's copy from its input; $1 and $2 are its epoch and
	// serial number. A newer copy stays: exit 3. It is written beside its place, flushed
	// and renamed: there is always a whole one.
	putCopyScript = `d=${FERRY_ROOT:-}/var/lib/ferry
[ -d "$d" ] || mkdir -p "$d" || exit 1
if [ -e "$d/copy" ]; then
	read -r word version epoch serial rest <"$d/copy"
	case $word,$version,$epoch$serial in
	ferry-copy,1,*[!0-9]*) ;;
	ferry-copy,1,?*)
		if [ "$epoch" -gt "$1" ] || { [ "$epoch" -eq "$1" ] && [ "$serial" -gt "$2" ]; }; then
			echo "$epoch $serial"
			exit 3
		fi
		;;
	esac
fi
umask 077
cat >"$d/copy.new" || exit 1
sync "$d/copy.new" && mv "$d/copy.new" "$d/copy" && sync "$d" || exit 1
`
	// remainsScript prints everything a node knows of who led it and of what was there.
	remainsScript = `d=${FERRY_ROOT:-}/var/lib/ferry
if [ -e "$d/beat" ]; then
	echo "beat $(($(date +%s) - $(stat -c %Y "$d/beat"))) $(cat "$d/beat")"
fi
for f in record claims copy; do
	[ -e "$d/$f" ] || continue
	[ -r "$d/$f" ] || exit 5
	echo "file $f"
	while read -r line || [ -n "$line" ]; do echo "= $line"; done <"$d/$f"
done
echo end
`
	copyLimit = 20 * time.Second
)

// ErrNewerCopy: the node keeps a newer copy than the one that was to be written.
var ErrNewerCopy = errors.New("the node has a newer copy")

// PutCopy writes the estate's copy on a node, guarded by its record, on a shell of its
// own: steps and heartbeats do not wait for it. unit names the attempt. What forget
// names is forgotten in the same round trip.
func (f *Fleet) PutCopy(ctx context.Context, node, unit string, epoch uint64, serial int64, copy []byte, forget ...string) error {
	n, self, err := f.node(node)
	if err != nil {
		return err
	}
	jobs := []wire.Job{{
		ID: "copy", Name: "copy", Body: putCopyScript, Stdin: copy, Deadline: copyLimit, Guard: self.guard(unit, "copy"),
		Args: []string{strconv.FormatUint(epoch, 10), strconv.FormatInt(serial, 10)},
	}}
	jobs[0].Guard.Light = true
	frames, err := n.Aside(ctx, append(jobs, forgets(forget)...))
	fr, ok := frames["copy"]
	switch {
	case !ok:
		return fmt.Errorf("writing the estate's copy on %s: %w", node, err)
	case fr.Status == wire.Refused:
		f.led(node, nil)
		return fmt.Errorf("writing the estate's copy on %s: %w: %s", node, ErrRefused, sshexec.Clean(fr.Stderr, 300))
	case fr.Status == wire.Done && fr.Exit == 3:
		return fmt.Errorf("writing the estate's copy on %s: %w", node, ErrNewerCopy)
	case !fr.OK():
		return fmt.Errorf("writing the estate's copy on %s: %s, exit %d: %s", node, fr.Status, fr.Exit, sshexec.Clean(fr.Stderr, 200))
	}
	return nil
}

// forgets are jobs that make the node forget units that have ended.
func forgets(units []string) []wire.Job {
	jobs := make([]wire.Job, 0, len(units))
	for i, u := range units {
		jobs = append(jobs, wire.Job{ID: "forget-" + strconv.Itoa(i), Verb: wire.VerbForget, Args: []string{u}, Deadline: copyLimit})
	}
	return jobs
}

// Forget makes a node forget the results of units that have ended and that over accepts
// by name; it tells how many. Results stay in memory on the node until then.
func (f *Fleet) Forget(ctx context.Context, node string, over func(unit string) bool) (int, error) {
	n, _, err := f.node(node)
	if err != nil {
		return 0, err
	}
	frames, err := n.Aside(ctx, []wire.Job{{ID: "list", Verb: wire.VerbList, Deadline: copyLimit, MaxOutput: 1 << 20}})
	if err != nil {
		return 0, err
	}
	units, err := wire.ParseUnits(frames["list"].Stdout)
	if err != nil {
		return 0, err
	}
	var names []string
	for _, u := range units {
		if u.State != wire.UnitRunning && u.State != wire.UnitStarting && over(u.Name) && len(names) < wire.MaxJobs {
			names = append(names, u.Name)
		}
	}
	if len(names) == 0 {
		return 0, nil
	}
	_, err = n.Aside(ctx, forgets(names))
	return len(names), err
}

// Remains is what a node knows of who led it.
type Remains struct {
	Leader Leader
	// Beat is how long ago an engine's heartbeat last wrote to the node's disk, by the
	// node's own clock; negative = never. By is that engine, when it said so.
	Beat time.Duration
	By   string
	// Claims are the numbers under which the node held resources, by tag.
	Claims map[string]uint64
	Copy   []byte   // the file as it is; nil = none
	Units  []string // what still runs there in an engine's name
}

// remainsOutput bounds the answer: the largest copy, and room for claims.
const remainsOutput = 3 << 20

// Remains asks a node for what it knows. It changes nothing.
func (f *Fleet) Remains(ctx context.Context, node string) (Remains, error) {
	n, _, err := f.node(node)
	if err != nil {
		return Remains{}, err
	}
	frames, err := n.Aside(ctx, []wire.Job{
		{ID: "remains", Body: remainsScript, Deadline: copyLimit, MaxOutput: remainsOutput},
		{ID: "units", Verb: wire.VerbList, Deadline: copyLimit, MaxOutput: 1 << 20},
	})
	fr, ok := frames["remains"]
	if !ok {
		return Remains{}, err
	}
	if !fr.OK() || fr.Truncated {
		return Remains{}, fmt.Errorf("reading what %s keeps: %s, exit %d: %s", node, fr.Status, fr.Exit, sshexec.Clean(fr.Stderr, 200))
	}
	r, err := parseRemains(string(fr.Stdout))
	if err != nil {
		return r, fmt.Errorf("reading what %s keeps: %w", node, err)
	}
	units, err := wire.ParseUnits(frames["units"].Stdout)
	for _, u := range units {
		if u.State == wire.UnitRunning {
			r.Units = append(r.Units, u.Name)
		}
	}
	return r, err
}

// parseRemains reads remainsScript's output. A claim that cannot be read is an error:
// overlooked, it could leave two nodes active.
func parseRemains(text string) (Remains, error) {
	r := Remains{Beat: -1, Claims: map[string]uint64{}}
	file, whole := "", false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		inside, isLine := strings.CutPrefix(line, "= ")
		var err error
		switch {
		case isLine:
			err = r.take(file, inside)
		case strings.HasPrefix(line, "file "):
			file = line[len("file "):]
		case strings.HasPrefix(line, "beat "):
			err = r.beat(strings.Fields(line))
		case line == "end":
			whole = true
		case line != "": // "= " of an empty line loses its blank on some shells
			err = fmt.Errorf("cannot read line %q", sshexec.Clean([]byte(line), 80))
		}
		if err != nil {
			return r, err
		}
	}
	if !whole {
		return r, errors.New("the answer has no end")
	}
	return r, nil
}

func (r *Remains) take(file, line string) error {
	switch file {
	case "record":
		r.Leader.take(line)
	case "claims":
		w := strings.Fields(line)
		if len(w) == 0 {
			return nil
		}
		if len(w) != 3 || w[0] != "claim" {
			return fmt.Errorf("cannot read the claim %q", sshexec.Clean([]byte(line), 80))
		}
		n, err := strconv.ParseUint(w[2], 10, 64)
		if err != nil {
			return fmt.Errorf("claim of %q is %q, not a number", w[1], sshexec.Clean([]byte(w[2]), 40))
		}
		r.Claims[w[1]] = n
	case "copy":
		r.Copy = append(append(r.Copy, line...), '\n')
	}
	return nil
}

// beat reads "beat SECONDS beat ENGINE"; clocks that went back count as just now.
func (r *Remains) beat(w []string) error {
	if len(w) < 2 {
		return errors.New("cannot read the heartbeat's age")
	}
	n, err := strconv.ParseInt(w[1], 10, 64)
	if err != nil {
		return fmt.Errorf("the heartbeat's age is %q, not a number", sshexec.Clean([]byte(w[1]), 40))
	}
	r.Beat = time.Duration(max(n, 0)) * time.Second
	if len(w) == 4 {
		r.By = sshexec.Clean([]byte(w[3]), 64)
	}
	return nil
}
