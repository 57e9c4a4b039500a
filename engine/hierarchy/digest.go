package hierarchy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Digest names what a definition says, in 64 hexadecimal digits. Whoever changes a
// definition says by it which one the change was made from. Two definitions of one
// digest say the same; another order of servers or resources may give another digest,
// which costs no more than a second look.
func Digest(e *Estate) string {
	n := Normalize(e)
	b, err := json.Marshal(n)
	if err != nil {
		panic("hierarchy: a definition cannot be written as JSON: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
