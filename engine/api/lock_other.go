//go:build !unix || solaris || illumos || aix

package api

import "errors"

var errHeld = errors.New("the lock is held")

// lockPath refuses: an engine cannot serve others on this system, since it could not
// tell who they are. Run it on Linux and reach it through SSH.
func lockPath(string) (unlock func(), err error) {
	return nil, errors.New("serving other processes is not possible on this system; run the engine on Linux and reach it through SSH")
}
