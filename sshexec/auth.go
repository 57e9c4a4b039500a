package sshexec

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// keyring gathers the keys to offer, and remembers why some could not be used: that is what the message
// of a failed login needs.
type keyring struct {
	signers []ssh.Signer
	notes   []string
	agent   net.Conn
}

// openKeyring reads the key files and asks the agent. Close it after the handshake: the agent signs until then.
func openKeyring(e endpoint, socket string) *keyring {
	k := &keyring{}
	held := k.fromAgent(socket)
	var files []ssh.Signer
	wanted := map[string]bool{}
	for _, name := range e.identities {
		signer, public, err := readKey(name)
		if public != nil {
			wanted[string(public.Marshal())] = true
		}
		switch {
		case err == nil:
			files = append(files, signer)
		case errors.Is(err, fs.ErrNotExist):
		case errors.As(err, new(*ssh.PassphraseMissingError)):
			if !holds(held, public) {
				k.notes = append(k.notes, fmt.Sprintf("%s is encrypted and no agent holds it: ssh-add %s", name, name))
			}
		default:
			k.notes = append(k.notes, fmt.Sprintf("%s: %v", name, err))
		}
	}
	// Servers stop listening after a few keys: those asked for come first.
	var others []ssh.Signer
	for _, s := range held {
		if wanted[string(s.PublicKey().Marshal())] {
			k.signers = append(k.signers, s)
		} else {
			others = append(others, s)
		}
	}
	k.signers = append(k.signers, files...)
	if !e.identitiesOnly {
		k.signers = append(k.signers, others...)
	}
	return k
}

func holds(held []ssh.Signer, public ssh.PublicKey) bool {
	if public == nil {
		return false
	}
	for _, s := range held {
		if bytes.Equal(s.PublicKey().Marshal(), public.Marshal()) {
			return true
		}
	}
	return false
}

// readKey reads a private key file; the public half also when the private one is encrypted or only in an agent.
func readKey(name string) (ssh.Signer, ssh.PublicKey, error) {
	var public ssh.PublicKey
	if text, err := os.ReadFile(name + ".pub"); err == nil {
		public, _, _, _, _ = ssh.ParseAuthorizedKey(text)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, public, err
	}
	signer, err := ssh.ParsePrivateKey(text)
	if missing, ok := errors.AsType[*ssh.PassphraseMissingError](err); ok && missing.PublicKey != nil {
		public = missing.PublicKey
	}
	if err != nil {
		return nil, public, err
	}
	return signer, signer.PublicKey(), nil
}

func (k *keyring) fromAgent(socket string) []ssh.Signer {
	if socket == "" || socket == "none" {
		return nil
	}
	conn, err := net.DialTimeout("unix", socket, 2*time.Second)
	if err != nil {
		k.notes = append(k.notes, "the ssh agent does not answer: "+err.Error())
		return nil
	}
	k.agent = conn
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second)) // an agent may ask its owner, but not for ever
	held, err := agent.NewClient(conn).Signers()
	if err != nil {
		k.notes = append(k.notes, "the ssh agent does not answer: "+err.Error())
	}
	return held
}

func (k *keyring) close() {
	if k.agent != nil {
		_ = k.agent.Close()
	}
}

// failed is the error of a login that the server refused.
func (k *keyring) failed(e endpoint) *Error {
	hint := fmt.Sprintf("put the public key into ~%s/.ssh/authorized_keys on the node", e.user)
	switch {
	case len(k.notes) > 0:
		hint = strings.Join(k.notes, "; ")
	case len(k.signers) == 0:
		hint = "no key was found: name an identity file or start an ssh agent"
	}
	var offered []string
	for _, s := range k.signers {
		offered = append(offered, s.PublicKey().Type()+" "+ssh.FingerprintSHA256(s.PublicKey()))
	}
	what := "no key was offered"
	if len(offered) > 0 {
		what = "offered " + strings.Join(offered, ", ")
	}
	return &Error{Kind: AuthFailed, Err: fmt.Errorf("%s does not let %s in (%s)", e.addr(), e.user, what), Hint: hint}
}
