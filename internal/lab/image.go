package lab

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed guest/packages.txt
var guestPackages string

//go:embed guest/customize.sh
var customizeScript []byte

const (
	// imageSizeMB is what a guest's root disk can grow to; the file is sparse and about 300 MB of it is used.
	imageSizeMB = 1000
	// imageTimeout bounds one build, which takes well under a minute with a near mirror.
	imageTimeout = 10 * time.Minute
	// imageKeep is how long an image of another version stays in the cache after its last use.
	imageKeep = 7 * 24 * time.Hour
)

// CacheDir is where images and the files of running labs are kept: $FERRY_LAB_CACHE, or ferry-lab in the user's cache.
func CacheDir() (string, error) {
	if d := os.Getenv("FERRY_LAB_CACHE"); d != "" {
		return filepath.Abs(d)
	}
	d, err := os.UserCacheDir()
	if err != nil { // no HOME, as in some CI jobs
		return filepath.Join(os.TempDir(), "ferry-lab"), nil
	}
	return filepath.Join(d, "ferry-lab"), nil
}

// image is what guests boot from: the path of their common root disk, and the kernel that it has the modules of. Both are
// made first when the cache does not have them. Two that ask at the same time build once.
func image(ctx context.Context, cache string, log *slog.Logger) (string, kernel, error) {
	ctx, cancel := context.WithTimeout(ctx, imageTimeout)
	defer cancel()
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", kernel{}, fmt.Errorf("making the lab's cache: %w", err)
	}
	unlock, err := lockFile(ctx, filepath.Join(cache, "build.lock"))
	if err != nil {
		return "", kernel{}, fmt.Errorf("waiting for another build of the lab image: %w", err)
	}
	defer unlock()
	k, err := guestKernel(ctx, cache, log)
	if err != nil {
		return "", kernel{}, err
	}
	path := filepath.Join(cache, "image-"+imageKey(k.version)+".ext4")
	if _, err := os.Stat(path); err == nil {
		return path, k, used(path)
	}
	start := time.Now()
	log.Info("building the lab image", "path", path, "kernel", k.version)
	if err := buildImage(ctx, filepath.Join(cache, "build"), path, k); err != nil {
		return "", kernel{}, fmt.Errorf("building the lab image: %w", err)
	}
	if err := used(path); err != nil {
		return "", kernel{}, err
	}
	pruneImages(cache, path)
	log.Info("built the lab image", "path", path, "took", time.Since(start).Round(time.Millisecond))
	return path, k, nil
}

// imageKey changes with everything that goes into an image.
func imageKey(kernel string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%d\n%s\n%s", kernel, imageSizeMB, strings.Join(lines(guestPackages), "\n"), customizeScript)
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// buildImage makes the tree in work, then the disk at path; path appears only when it is whole.
func buildImage(ctx context.Context, work, path string, k kernel) error {
	if err := os.RemoveAll(work); err != nil { // left by a build that was killed
		return err
	}
	defer os.RemoveAll(work)
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	sources, err := aptSources()
	if err != nil {
		return err
	}
	tree, script, disk := filepath.Join(work, "tree"), filepath.Join(work, "customize.sh"), filepath.Join(work, "disk")
	if err := os.WriteFile(script, customizeScript, 0o755); err != nil {
		return err
	}
	steps := [][]string{
		// A mount namespace of its own: should the build be killed, nothing stays mounted in a tree that we delete.
		{"unshare", "--mount", "--fork", "--kill-child", "mmdebstrap", "--mode=root", "--variant=minbase", "--quiet",
			"--include=" + strings.Join(lines(guestPackages), ","), "--aptopt=Apt::Install-Recommends false",
			"--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
			"bookworm", tree, sources},
		{"sh", script, tree, filepath.Join(k.modules, k.version)},
		{"mke2fs", "-q", "-t", "ext4", "-m0", "-E", "lazy_itable_init=1,lazy_journal_init=1", "-d", tree, disk, fmt.Sprintf("%dM", imageSizeMB)},
	}
	for _, s := range steps {
		if err := runStep(ctx, s); err != nil {
			return err
		}
	}
	return os.Rename(disk, path)
}

func runStep(ctx context.Context, argv []string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", argv[0], err, tail(out.Bytes(), 20))
	}
	return nil
}

// aptSources is the machine's own list: the guests come from where the machine comes from.
func aptSources() (string, error) {
	for _, p := range []string{"/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"} {
		if st, err := os.Stat(p); err == nil && st.Size() > 0 {
			return p, nil
		}
	}
	return "", errors.New("no apt sources on this machine (debian.sources or sources.list): the lab image is made from Debian packages")
}

// used notes when an image was last used, beside it: the image's own time must stay, because the guests of other labs compare
// it with what their disks were made from when they boot again.
func used(path string) error { return os.WriteFile(path+".used", nil, 0o644) }

// pruneImages removes images that nothing used for a while.
func pruneImages(cache, keep string) {
	old, _ := filepath.Glob(filepath.Join(cache, "image-*.ext4"))
	for _, p := range old {
		st, err := os.Stat(p + ".used")
		if err != nil {
			st, err = os.Stat(p)
		}
		if err == nil && p != keep && time.Since(st.ModTime()) > imageKeep {
			os.Remove(p)
			os.Remove(p + ".used")
		}
	}
}

// lockFile takes an exclusive lock that dies with the process. It waits no longer than ctx.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			f.Close()
			return nil, err
		}
	}
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// tail is the last n lines of b.
func tail(b []byte, n int) string {
	l := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(l[max(0, len(l)-n):], "\n")
}
