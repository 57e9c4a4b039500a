package postgresql

import (
	"os/exec"
	"testing"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
)

type world struct{ a, b *machine }

func (w world) Nodes() []string { return []string{w.a.name, w.b.name} }

func (w world) pick(node string) *machine {
	if node == w.a.name {
		return w.a
	}
	return w.b
}
func (w world) Host(node string) kits.Host         { return w.pick(node) }
func (w world) Instance(node string) kits.Instance { return w.pick(node).instance() }

func TestConformance(t *testing.T) {
	for _, shell := range [][]string{{"dash"}, {"busybox", "sh"}, {"bash", "--posix"}} {
		t.Run(shell[0], func(t *testing.T) {
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Skipf("left out: %s is not installed", shell[0])
			}
			w := world{newMachine(t, "A"), newMachine(t, "B")}
			w.a.shell, w.b.shell = shell, shell
			kittest.Conformance(t, Kit{}, w)
		})
	}
}

func TestScriptsAreClean(t *testing.T) {
	kittest.Lint(t, "check", libSh+"\n"+checkSh)
	kittest.Lint(t, "eligible", libSh+"\n"+eligibleSh)
	kittest.Lint(t, "choices", choicesSh)
	for name, body := range map[string]string{"start": startSh, "stop": stopSh, "recover": recoverSh} {
		kittest.Lint(t, name, libSh+"\n"+actSh+"\n"+body)
	}
}
