package sshexec

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// hostKeys checks a server's key against known_hosts files. Unknown and changed keys are refused, always.
type hostKeys struct {
	e     endpoint
	check ssh.HostKeyCallback
	file  string // where a new key belongs: the first file named
	err   error  // what the last check found, with kind and hint
}

func newHostKeys(e endpoint) (*hostKeys, error) {
	h := &hostKeys{e: e}
	var files []string
	for _, f := range e.knownHosts {
		if _, err := os.Stat(f); err == nil {
			files = append(files, f)
		}
	}
	if len(e.knownHosts) > 0 {
		h.file = e.knownHosts[0]
	}
	var err error
	if h.check, err = knownhosts.New(files...); err != nil {
		return nil, fmt.Errorf("reading known hosts: %w", err)
	}
	return h, nil
}

// callback is what the handshake asks. It remembers its answer, because the handshake wraps it in text.
func (h *hostKeys) callback(_ string, _ net.Addr, key ssh.PublicKey) error {
	h.err = h.judge(key)
	return h.err
}

func (h *hostKeys) judge(key ssh.PublicKey) error {
	// The address we dialled is all that counts: behind a jump host the remote address means nothing.
	err := h.check(h.e.alias, &net.TCPAddr{IP: net.IPv4zero, Port: h.e.port}, key)
	if err == nil {
		return nil
	}
	print := key.Type() + " " + ssh.FingerprintSHA256(key)
	if revoked, ok := errors.AsType[*knownhosts.RevokedError](err); ok {
		return &Error{Kind: HostKeyChanged, Err: fmt.Errorf("host key %s of %s is revoked in %s", print, h.e.addr(), revoked.Revoked.Filename),
			Hint: "find out why before you connect to it again"}
	}
	known, ok := errors.AsType[*knownhosts.KeyError](err)
	if !ok {
		return &Error{Kind: HostKeyUnknown, Err: err}
	}
	if len(known.Want) == 0 {
		return &Error{Kind: HostKeyUnknown, Err: fmt.Errorf("host key %s of %s is not known", print, h.e.addr()),
			Hint: "check the fingerprint on the node, then: " + h.scan()}
	}
	w := known.Want[0]
	return &Error{Kind: HostKeyChanged, Err: fmt.Errorf("host key of %s is %s, but %s line %d has another: the node was reinstalled, or somebody is in between",
		h.e.addr(), print, w.Filename, w.Line), Hint: h.replace(w.Filename)}
}

// scan is the command that makes a key known. ssh-keyscan cannot go through a jump host; ssh itself asks.
func (h *hostKeys) scan() string {
	host, port, _ := net.SplitHostPort(h.e.alias)
	if h.e.jump != nil {
		return fmt.Sprintf("ssh -o StrictHostKeyChecking=ask -o UserKnownHostsFile=%s -J %s -p %d %s@%s true",
			h.file, h.e.jump.Name, h.e.port, h.e.user, h.e.host)
	}
	if h.e.alias != h.e.addr() {
		return fmt.Sprintf("ssh -o StrictHostKeyChecking=ask -o UserKnownHostsFile=%s -o HostKeyAlias=%s -p %d %s@%s true",
			h.file, host, h.e.port, h.e.user, h.e.host)
	}
	if port == "22" {
		return fmt.Sprintf("ssh-keyscan %s >> %s", host, h.file)
	}
	return fmt.Sprintf("ssh-keyscan -p %s %s >> %s", port, host, h.file)
}

func (h *hostKeys) replace(file string) string {
	return fmt.Sprintf("if the node was reinstalled: ssh-keygen -R '%s' -f %s && %s", knownhosts.Normalize(h.e.alias), file, h.scan())
}

// noKey stands for a key that no file has: asking for it tells which keys are known.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("not a key") }

// algorithms lists the host key algorithms of the keys we know, so that a server with several keys shows one of them.
// Nil means that none is known: then any will do, to be shown in the message.
func (h *hostKeys) algorithms() []string {
	err := h.check(h.e.alias, &net.TCPAddr{IP: net.IPv4zero, Port: h.e.port}, noKey{})
	known, ok := errors.AsType[*knownhosts.KeyError](err)
	if !ok {
		return nil
	}
	var algos []string
	for _, w := range known.Want {
		add := []string{w.Key.Type()}
		if w.Key.Type() == ssh.KeyAlgoRSA {
			add = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
		for _, a := range add {
			if !slices.Contains(algos, a) {
				algos = append(algos, a)
			}
		}
	}
	return algos
}

// mismatch recognises a server that has no key of a type we know.
func (h *hostKeys) mismatch(err error) *Error {
	if !strings.Contains(err.Error(), "no common algorithm for host key") {
		return nil
	}
	return &Error{Kind: HostKeyChanged, Err: fmt.Errorf("%s has no host key of the known types (%s)", h.e.addr(), strings.Join(h.algorithms(), ", ")),
		Hint: h.replace(h.file)}
}
