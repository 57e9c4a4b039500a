package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	namePrefix = "flab"
	lockName   = "lock"
)

func runDir(cache string) string { return filepath.Join(cache, "run") }

// Sweep removes what labs left whose process was killed: namespaces, what still runs in them, files. It touches nothing of
// a lab whose process lives. [Start] calls it.
func Sweep(ctx context.Context, cache string, log *slog.Logger) {
	left := map[string]bool{}
	for _, dir := range []string{netnsDir, runDir(cache)} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if id, pid, ok := labID(e.Name()); ok && !processLives(pid) {
				left[id] = true
			}
		}
	}
	for id := range left {
		log.Info("removing what a dead lab left", "lab", id)
		err := errors.Join(removeNamespaces(ctx, id+"-"), os.RemoveAll(filepath.Join(runDir(cache), id)))
		if err != nil {
			log.Warn("removing what a dead lab left", "lab", id, "error", err)
		}
	}
}

// labID takes apart flabPID-RANDOM, which may be followed by "-" and a namespace's short name.
func labID(name string) (id string, pid int, ok bool) {
	rest, ok := strings.CutPrefix(name, namePrefix)
	if !ok {
		return "", 0, false
	}
	f := strings.SplitN(rest, "-", 3)
	if len(f) < 2 {
		return "", 0, false
	}
	pid, err := strconv.Atoi(f[0])
	return namePrefix + f[0] + "-" + f[1], pid, err == nil && pid > 0
}

func processLives(pid int) bool {
	err := syscall.Kill(pid, 0)
	return (err == nil || errors.Is(err, syscall.EPERM)) && !strings.HasPrefix(statusField(pid, "State"), "Z")
}

// removeNamespaces deletes the namespaces with a prefix and kills what runs in them. The own process is spared: one of its
// threads may be in there just now.
func removeNamespaces(ctx context.Context, prefix string) error {
	found, _ := filepath.Glob(filepath.Join(netnsDir, prefix+"*"))
	var errs []error
	for _, p := range found {
		name := filepath.Base(p)
		out, err := exec.CommandContext(ctx, "ip", "netns", "pids", name).Output()
		if err != nil {
			errs = append(errs, fmt.Errorf("listing what runs in %s: %w", name, err))
		}
		for f := range strings.FieldsSeq(string(out)) {
			if pid, err := strconv.Atoi(f); err == nil && pid != os.Getpid() {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		if err := deleteNamespace(ctx, name); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// deleteNamespace tries for a while: another sweep may be at it, or a program just starting in it.
func deleteNamespace(ctx context.Context, name string) error {
	var last error
	for range 20 {
		if _, err := os.Stat(filepath.Join(netnsDir, name)); os.IsNotExist(err) {
			return nil
		}
		out, err := exec.CommandContext(ctx, "ip", "netns", "delete", name).CombinedOutput()
		if err == nil {
			return nil
		}
		last = fmt.Errorf("deleting namespace %s: %w: %s", name, err, out)
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			break
		}
	}
	return last
}
