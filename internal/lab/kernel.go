package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

const (
	umlKernel  = "linux.uml"            // the installed package's
	umlModules = "/usr/lib/uml/modules" // … and its modules
	keyring    = "/usr/share/keyrings/debian-archive-keyring.gpg"
	loader     = "ld-linux-x86-64.so.2"

	// kernelSuite is the Debian release whose user-mode-linux drives guest processes by seccomp instead of ptrace (Linux
	// 6.16 and later). Measured with /bin/true in a loop beside an idle lab: starting a process takes 5 ms instead of 77 ms.
	kernelSuite = "forky"
	// kernelTimeout bounds the download of about 55 MB.
	kernelTimeout = 3 * time.Minute
	// kernelAgain is when a download that failed is tried again.
	kernelAgain = time.Hour
)

// kernel is what the guests run.
type kernel struct {
	program string
	modules string   // directory that holds one directory of modules, named after version
	version string   // as uname -r says
	args    []string // what this kernel is always started with
}

// guestKernel is the quick kernel of kernelSuite, or the installed one where that one cannot be had (or where
// FERRY_LAB_KERNEL=installed asks for it): the same guests, several times slower. The caller holds the build lock.
func guestKernel(ctx context.Context, cache string, log *slog.Logger) (kernel, error) {
	if os.Getenv("FERRY_LAB_KERNEL") != "installed" {
		k, err := quickKernel(ctx, filepath.Join(cache, "kernel-"+kernelSuite), log)
		if err == nil {
			return k, nil
		}
		log.Warn("the lab runs on the installed kernel, which is several times slower", "suite", kernelSuite, "error", err)
	}
	v, err := kernelVersion(ctx, umlKernel)
	return kernel{program: umlKernel, modules: umlModules, version: v}, err
}

// quickKernel unpacks the package and the C library it needs into dir, once. Nothing is installed on the machine.
func quickKernel(ctx context.Context, dir string, log *slog.Logger) (kernel, error) {
	k := kernel{program: filepath.Join(dir, umlKernel), modules: filepath.Join(dir, "tree", umlModules), args: []string{"seccomp=on"}}
	failed := dir + ".failed"
	if _, err := os.Stat(k.program); err != nil {
		if b, err := os.ReadFile(failed); err == nil && recent(failed, kernelAgain) {
			return kernel{}, errors.New(strings.TrimSpace(string(b)))
		}
		ctx, cancel := context.WithTimeout(ctx, kernelTimeout)
		defer cancel()
		start := time.Now()
		if err := fetchKernel(ctx, dir); err != nil {
			_ = os.WriteFile(failed, []byte(err.Error()+"\n"), 0o644)
			return kernel{}, err
		}
		log.Info("fetched the guests' kernel", "suite", kernelSuite, "took", time.Since(start).Round(time.Millisecond))
	}
	v, err := kernelVersion(ctx, k.program)
	if err != nil {
		return kernel{}, err
	}
	if _, err := os.Stat(filepath.Join(k.modules, v)); err != nil {
		return kernel{}, fmt.Errorf("the kernel's modules: %w", err)
	}
	k.version = v
	return k, nil
}

func recent(path string, d time.Duration) bool {
	st, err := os.Stat(path)
	return err == nil && time.Since(st.ModTime()) < d
}

// fetchKernel fills dir; dir/linux.uml appears last.
func fetchKernel(ctx context.Context, dir string) error {
	mirror, err := aptMirror()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil { // left by one that was killed
		return err
	}
	apt, tree := filepath.Join(dir, "apt"), filepath.Join(dir, "tree")
	for _, d := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(apt, d), 0o755); err != nil {
			return err
		}
	}
	list := fmt.Sprintf("deb [signed-by=%s] %s %s main\n", keyring, mirror, kernelSuite)
	if err := os.WriteFile(filepath.Join(apt, "list"), []byte(list), 0o644); err != nil {
		return err
	}
	// apt with lists and a cache of its own: what the machine itself installs is not touched.
	base := []string{"apt-get", "-q", "-o", "Dir::Etc::SourceList=" + apt + "/list", "-o", "Dir::Etc::SourceParts=/dev/null",
		"-o", "Dir::Etc::PreferencesParts=/dev/null", "-o", "Dir::State::Lists=" + apt + "/lists", "-o", "Dir::State::status=/dev/null",
		"-o", "Dir::Cache=" + apt + "/cache", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none",
		"-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false", "-o", "Acquire::Retries=2"}
	steps := [][]string{
		append(base[:len(base):len(base)], "update"),
		{"sh", "-c", `cd "$1" && shift && exec "$@"`, "sh", apt},
	}
	steps[1] = append(append(steps[1], base...), "download", "user-mode-linux", "libc6")
	for _, s := range steps {
		if err := runStep(ctx, s); err != nil {
			return err
		}
	}
	debs, err := filepath.Glob(filepath.Join(apt, "*.deb"))
	if err != nil || len(debs) != 2 {
		return fmt.Errorf("apt brought %d packages, not 2", len(debs))
	}
	for _, d := range debs {
		if err := runStep(ctx, []string{"dpkg-deb", "-x", d, tree}); err != nil {
			return err
		}
	}
	return linkKernel(ctx, dir, tree)
}

// linkKernel makes the program find the C library that came with it. (Started through that library's loader instead it
// would take the loader for itself when it starts itself once more.)
func linkKernel(ctx context.Context, dir, tree string) error {
	libs := filepath.Join(tree, "usr/lib/x86_64-linux-gnu")
	found := filepath.Join(tree, "usr/bin", umlKernel)
	steps := [][]string{
		{"patchelf", "--set-interpreter", filepath.Join(libs, loader), "--set-rpath", libs, found},
		{found, "--version"},
	}
	for _, s := range steps {
		if err := runStep(ctx, s); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "apt")); err != nil {
		return err
	}
	return os.Rename(found, filepath.Join(dir, umlKernel))
}

// uri finds the first Debian archive in either form of apt's lists.
var uri = regexp.MustCompile(`(?m)^(?:URIs:\s*|deb\s+(?:\[[^\]]*\]\s+)?)(\S+/debian)/?(?:\s|$)`)

// aptMirror is where the machine's own packages come from.
func aptMirror() (string, error) {
	p, err := aptSources()
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(p)
	if err != nil {
		return "", err
	}
	m := uri.FindSubmatch(b)
	if m == nil {
		return "", fmt.Errorf("no Debian archive in %s", p)
	}
	return string(m[1]), nil
}

// kernelVersion is a kernel's, which names its modules' directory.
func kernelVersion(ctx context.Context, program string) (string, error) {
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w", program, err)
	}
	f := strings.Fields(string(out))
	if len(f) == 0 {
		return "", fmt.Errorf("%s --version said nothing", program)
	}
	return f[len(f)-1], nil
}
