package store

import (
	"errors"
	"fmt"
	"time"
)

// More kinds of error that a caller may meet.
var (
	// ErrClosed: Close was called on this store.
	ErrClosed = errors.New("the store is closed")
	// ErrInvalid: the transaction can never be applied: it is too large, or names a
	// key twice, or an empty one. A mistake of the program.
	ErrInvalid = errors.New("not a valid transaction")
)

// LedError tells who leads when Lead is refused. It is an ErrNotLeader.
type LedError struct {
	Who   string
	Since time.Time
}

// Error names the leader.
func (e *LedError) Error() string {
	return fmt.Sprintf("%s has led since %s: %v", e.Who, e.Since.Format(time.DateTime), ErrNotLeader)
}

// Unwrap makes it an ErrNotLeader.
func (e *LedError) Unwrap() error { return ErrNotLeader }
