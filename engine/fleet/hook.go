package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/sshexec"
)

// The stop hook is a systemd unit that does nothing until the node is shut down in good
// order. Then, while sshd and the network still work, it leaves a mark that the next
// heartbeat reports, and gives the engine a while to take the node's hierarchies
// elsewhere. Without an engine that answers it holds a shutdown up by 15 seconds; with
// one, until that says go, at most two minutes.
const (
	hookUnit = `[Unit]
Description=ferry is told when this node is shut down in good order
After=network-online.target network.target ssh.service sshd.service systemd-user-sessions.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/sh /var/lib/ferry/stop-hook
TimeoutStopSec=150

[Install]
WantedBy=multi-user.target
`
	hookScript = `# Written by ferry. Run by ferry-stop.service when this node is shut down in good order.
[ "$(systemctl is-system-running 2>/dev/null)" = stopping ] || exit 0
d=${FERRY_ROOT:-}/var/lib/ferry
rm -f "$d/stop-seen" "$d/stop-go"
read -r boot </proc/sys/kernel/random/boot_id
echo "$boot" >"$d/stopping"
n=0 limit=15
while [ "$n" -lt "$limit" ] && [ ! -e "$d/stop-go" ]; do
	[ ! -e "$d/stop-seen" ] || limit=120
	n=$((n + 1))
	sleep 1
done
rm -f "$d/stop-seen" "$d/stop-go"
`
	// installScript writes the unit ($1) and its script ($2) unless they are there, and
	// puts the unit in force. It prints "new" when it changed something.
	installScript = `d=${FERRY_ROOT:-}/var/lib/ferry u=${FERRY_ROOT:-}/etc/systemd/system/ferry-stop.service
has() { [ -r "$1" ] && [ "$(cat "$1")" = "$2" ]; }
if has "$u" "$1" && has "$d/stop-hook" "$2" && systemctl is-active --quiet ferry-stop.service && systemctl is-enabled --quiet ferry-stop.service; then
	exit 0
fi
mkdir -p "$d" && printf '%s\n' "$2" >"$d/stop-hook" && printf '%s\n' "$1" >"$u" || exit 1
systemctl daemon-reload && systemctl enable ferry-stop.service 2>/dev/null && systemctl start ferry-stop.service || exit 1
echo new
`
	// uninstallScript takes the hook away. Stopping it does nothing while the system runs.
	uninstallScript = `d=${FERRY_ROOT:-}/var/lib/ferry u=${FERRY_ROOT:-}/etc/systemd/system/ferry-stop.service
[ -e "$u" ] || exit 0
systemctl stop ferry-stop.service
systemctl disable ferry-stop.service 2>/dev/null
rm -f "$u" "$d/stop-hook" "$d/stopping"
systemctl daemon-reload
echo gone
`
	// noteScript leaves a word for the hook that waits: stop-seen or stop-go.
	noteScript = `: >"${FERRY_ROOT:-}/var/lib/ferry/$1"
`
)

// hookTimeout bounds putting the stop hook in force: systemd reads its units anew.
const hookTimeout = 30 * time.Second

// InstallHook puts the stop hook in force on a node. It changes nothing where it
// already is, and returns whether it had to.
func (f *Fleet) InstallHook(ctx context.Context, node, unit string) (changed bool, err error) {
	return f.hook(ctx, node, unit, kits.Script{Name: "stop-hook", Body: installScript, Args: []string{trim(hookUnit), trim(hookScript)}, Deadline: hookTimeout})
}

// RemoveHook takes it away.
func (f *Fleet) RemoveHook(ctx context.Context, node, unit string) (changed bool, err error) {
	return f.hook(ctx, node, unit, kits.Script{Name: "stop-hook", Body: uninstallScript, Deadline: hookTimeout})
}

// SeenStop tells a node that waits in its shutdown that the engine knows and is busy
// with it; LetStop, that it may go down.
func (f *Fleet) SeenStop(ctx context.Context, node, unit string) error {
	return f.noteStop(ctx, node, unit, "stop-seen")
}

// LetStop tells a node that waits in its shutdown that nothing holds it any more.
func (f *Fleet) LetStop(ctx context.Context, node, unit string) error {
	return f.noteStop(ctx, node, unit, "stop-go")
}

func (f *Fleet) noteStop(ctx context.Context, node, unit, word string) error {
	_, err := f.hook(ctx, node, unit, kits.Script{Name: word, Body: noteScript, Args: []string{word}, Deadline: 10 * time.Second})
	return err
}

func (f *Fleet) hook(ctx context.Context, node, unit string, s kits.Script) (changed bool, err error) {
	s.Mutates, s.Light = true, true
	res, err := f.Acting(node, unit, "stop-hook").Run(ctx, s)
	switch {
	case err != nil:
		return false, err
	case res.Exit != 0:
		return false, fmt.Errorf("%s on %s: exit %d: %s", s.Name, node, res.Exit, sshexec.Clean([]byte(res.Stderr), 200))
	}
	return res.Stdout != "", nil
}

// trim takes the last newline off: "$(cat FILE)" does.
func trim(s string) string { return s[:len(s)-1] }
