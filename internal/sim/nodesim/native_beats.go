package nodesim

import (
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

const libDir = "/var/lib/ferry"

// setWords reads the line "set -- 'a' 'b' …".
func setWords(line string) (words []string, ok bool) {
	line, ok = strings.CutPrefix(line, "set -- '")
	if !ok || !strings.HasSuffix(line, "'") {
		return nil, false
	}
	words = strings.Split(strings.TrimSuffix(line, "'"), "' '")
	for _, w := range words {
		if strings.ContainsAny(w, "'\\\n") {
			return nil, false // quoted in another way
		}
	}
	return words, true
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// peersNative pings every path at once and says the exit codes in their order.
func peersNative(s *steps) (int, bool) {
	first, _, _ := strings.Cut(s.script, "\n")
	words, ok := setWords(first)
	for i := 0; i+3 <= len(words); i += 3 {
		ok = ok && digits(words[i])
	}
	if !ok {
		return 0, false
	}
	if s.ended() {
		return terminated, true
	}
	var codes []chan int
	for i := 0; i+3 <= len(words); i += 3 {
		args := []string{"-n", "-q", "-c", "1", "-W", "1"}
		if from := words[i+2]; from != "-" {
			args = append(args, "-I", from)
		}
		args = append(args, words[i+1])
		code := make(chan int, 1)
		codes = append(codes, code)
		if !s.st.node.world.spawn(func() { code <- s.run(nil, io.Discard, io.Discard, "ping", args...) }) {
			return terminated, true // the world ends
		}
	}
	for i, code := range codes {
		c := <-code
		if s.ended() {
			return terminated, true
		}
		s.say(fmt.Sprintf("%s %d\n", words[3*i], c))
	}
	return 0, true
}

// beat is the heartbeat that shows that programs run and, when flush is set, the disk.
func (s *steps) beat(flush bool) (int, bool) {
	who, plain := cutBeat(s.script)
	mark := path.Join(libDir, "stopping")
	if !plain || s.isDir(mark) {
		return 0, false
	}
	if s.ended() {
		return terminated, true
	}
	if !s.isDir(libDir) {
		s.run(nil, s.st.p.stdout, s.st.p.stderr, "mkdir", "-p", libDir)
	}
	if s.ctx.Err() != nil { // a redirection does not wait while programs hang: the kernel does that
		return terminated, true
	}
	file := path.Join(libDir, "beat")
	if s.st.node.fs.create(file, 0o644, true) == nil {
		if s.ended() {
			return terminated, true
		}
		_ = s.st.node.fs.add(file, []byte("beat "+who+"\n")) // full: what is there has to do
		if flush {
			s.run(nil, s.st.p.stdout, io.Discard, "sync", file)
		}
	}
	if s.ended() {
		return terminated, true
	}
	boot, known := s.line("/proc/sys/kernel/random/boot_id")
	if !known {
		boot = "-"
	}
	if marked, there := s.line(mark); there && marked == boot {
		s.say("stopping " + boot + "\n")
	} else {
		s.say("alive " + boot + "\n")
	}
	return 0, true
}

// line is what "read -r x" takes from a file, and whether it succeeds.
func (s *steps) line(p string) (string, bool) {
	data, err := s.st.node.fs.read(p)
	if err != nil {
		return "", false
	}
	text, _, whole := strings.Cut(string(data), "\n")
	return strings.Trim(text, " \t"), whole
}

// copyNative takes the estate's copy from its input unless the node has a newer one.
func copyNative(s *steps) (int, bool) {
	file := path.Join(libDir, "copy")
	epoch, err1 := strconv.ParseInt(s.arg(1), 10, 64)
	serial, err2 := strconv.ParseInt(s.arg(2), 10, 64)
	if err1 != nil || err2 != nil || len(s.st.p.stdin) == 0 {
		return 0, false
	}
	newer := ""
	if s.is(file) {
		had, e, n, ok := s.copyThere(file)
		if !ok {
			return 0, false
		}
		if e > epoch || e == epoch && n > serial {
			newer = had
		}
	}
	if s.ended() {
		return terminated, true
	}
	if !s.isDir(libDir) && s.run(nil, s.st.p.stdout, s.st.p.stderr, "mkdir", "-p", libDir) != 0 {
		return 1, true
	}
	if newer != "" {
		s.say(newer + "\n")
		return 3, true
	}
	return s.putCopy(file), true
}

// copyThere reads the numbers of the copy that the node has; what is not one that the
// engine wrote is the interpreter's.
func (s *steps) copyThere(file string) (numbers string, epoch, serial int64, ok bool) {
	first, whole := s.line(file)
	w := strings.Split(first, " ")
	if !whole || len(w) < 4 || w[0] != "ferry-copy" || w[1] != "1" || !digits(w[2]) || !digits(w[3]) {
		return "", 0, 0, false
	}
	epoch, err1 := strconv.ParseInt(w[2], 10, 64)
	serial, err2 := strconv.ParseInt(w[3], 10, 64)
	return w[2] + " " + w[3], epoch, serial, err1 == nil && err2 == nil
}

// putCopy writes beside the place, flushes and renames.
func (s *steps) putCopy(file string) int {
	out, errs, beside := s.st.p.stdout, s.st.p.stderr, file+".new"
	s.run(nil, out, errs, "/.sim/umask", "077")
	if s.ctx.Err() != nil {
		return terminated
	}
	if err := s.st.node.fs.create(beside, 0o644, true); err != nil {
		fmt.Fprintf(errs, "%v\n", err)
		return 1
	}
	for _, c := range []func() int{
		func() int { return s.run(s.st.p.stdin, appender{s.st.node.fs, beside}, errs, "cat") },
		func() int { return s.run(nil, out, errs, "sync", beside) },
		func() int { return s.run(nil, out, errs, "mv", beside, file) },
		func() int { return s.run(nil, out, errs, "sync", libDir) },
	} {
		if c() != 0 {
			return 1
		}
	}
	return 0
}
