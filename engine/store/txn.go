package store

import "fmt"

// Limits of one transaction, the same on every implementation so that a test on
// Memory cannot pass what etcd would refuse.
const (
	// MaxOps is the most conditions, puts and deletes one transaction may hold of each.
	MaxOps = 2048
	// MaxBytes is the most that all keys and values of a transaction may weigh.
	MaxBytes = 4 << 20
)

// valid refuses what no store could apply. etcd refuses a key that is named twice;
// it would not be clear which of both wins.
func (t Txn) valid() error {
	if len(t.If) > MaxOps || len(t.Puts)+len(t.Deletes) > MaxOps {
		return fmt.Errorf("%w: %d conditions and %d changes, at most %d of each are possible",
			ErrInvalid, len(t.If), len(t.Puts)+len(t.Deletes), MaxOps)
	}
	size, seen := 0, make(map[string]struct{}, len(t.Puts)+len(t.Deletes))
	add := func(key string, weight int) error {
		if key == "" {
			return fmt.Errorf("%w: empty key", ErrInvalid)
		}
		if _, twice := seen[key]; twice {
			return fmt.Errorf("%w: key %q is named twice", ErrInvalid, key)
		}
		seen[key] = struct{}{}
		size += len(key) + weight
		return nil
	}
	for _, p := range t.Puts {
		if err := add(p.Key, len(p.Value)); err != nil {
			return err
		}
	}
	for _, key := range t.Deletes {
		if err := add(key, 0); err != nil {
			return err
		}
	}
	if size > MaxBytes {
		return fmt.Errorf("%w: %d bytes, at most %d are possible", ErrInvalid, size, MaxBytes)
	}
	return nil
}
