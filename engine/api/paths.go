package api

import (
	"fmt"
	"os"
	"path/filepath"
)

// SystemSocket is where the engine of the machine listens.
const SystemSocket = "/run/ferry/engine.sock"

// SocketEnv overrides where engines listen and clients look.
const SocketEnv = "FERRY_SOCKET"

// DefaultSocket is where an engine of this user listens: $FERRY_SOCKET, or
// SystemSocket for root, or ferry/engine.sock in the user's runtime directory.
func DefaultSocket() string {
	if path := os.Getenv(SocketEnv); path != "" {
		return path
	}
	if os.Getuid() == 0 {
		return SystemSocket
	}
	return userSocket()
}

// ClientSockets are the places where a client looks for an engine, in order: the one
// in $FERRY_SOCKET alone, or the machine's and then the user's own.
func ClientSockets() []string {
	if path := os.Getenv(SocketEnv); path != "" {
		return []string{path}
	}
	if os.Getuid() == 0 {
		return []string{SystemSocket}
	}
	return []string{SystemSocket, userSocket()}
}

// userSocket lies where only the user can write.
func userSocket() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "ferry", "engine.sock")
	}
	if dir, err := os.UserCacheDir(); err == nil {
		return filepath.Join(dir, "ferry", "engine.sock")
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("ferry-%d", os.Getuid()), "engine.sock")
}
