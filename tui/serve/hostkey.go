package serve

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	gossh "golang.org/x/crypto/ssh"
)

// HostKey reads the host's private key, and makes one when there is no file: Ed25519,
// mode 0600. A file that others may read is refused, as sshd does. Made tells that it
// is new, so that clients will have to be told.
func HostKey(path string) (key gossh.Signer, made bool, err error) {
	key, err = readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, false, err
	}
	if err := makeKey(path); err != nil {
		return nil, false, fmt.Errorf("making the host key %s: %w", path, err)
	}
	key, err = readKey(path)
	return key, true, err
}

func readKey(path string) (gossh.Signer, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the host key: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the host key %s may be read by others (mode %04o); chmod 600 it, or make a new one if it was", path, st.Mode().Perm())
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the host key: %w", err)
	}
	key, err := gossh.ParsePrivateKey(raw)
	if err != nil {
		return nil, fmt.Errorf("reading the host key %s: %w", path, err)
	}
	return key, nil
}

// makeKey writes beside the place and renames, so that a key is there whole or not at all.
func makeKey(path string) error {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := gossh.MarshalPrivateKey(private, "ferry serve")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".host-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(pem.EncodeToMemory(block))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), path) // fails when somebody else made one meanwhile
}
