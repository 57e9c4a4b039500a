package adopt

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Version of the copy's form.
const Version = 1

// MaxFile bounds the file on a node, in bytes: what one request may carry. The estate
// of 1000 resources on four nodes each takes about a tenth of it.
const MaxFile = 1 << 20

// maxJSON bounds what a copy may unpack to: a damaged one must not fill the memory.
const maxJSON = 64 << 20

// Copy is an estate as its engine last knew it.
type Copy struct {
	Version int    `json:"version"`
	Estate  string `json:"estate"` // the estate's id
	Engine  string `json:"engine"` // the engine's id
	Epoch   uint64 `json:"epoch"`
	// Serial is the revision of the engine's store; it rises within an epoch.
	Serial int64     `json:"serial"`
	At     time.Time `json:"at"`
	Who    string    `json:"who"` // the leader as people read it
	Since  time.Time `json:"since"`
	// Definition is the one in force, without the fields that hold secrets.
	Definition *hierarchy.Estate `json:"definition"`
	// Entities are the policy's, by its keys: claims with the numbers given out, losses
	// that a person refused to act on, instances and hierarchies that are held.
	Entities map[string]json.RawMessage `json:"entities"`
}

// Newer tells whether c is to be believed over the other one.
func (c *Copy) Newer(than *Copy) bool {
	if c.Epoch != than.Epoch {
		return c.Epoch > than.Epoch
	}
	return c.Serial > than.Serial
}

// Encode makes the file. It fails when the estate is too large for one request.
func (c *Copy) Encode() ([]byte, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("making the estate's copy: %w", err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(text) // into memory: cannot fail
	_ = z.Close()
	body := lines(base64.StdEncoding.EncodeToString(packed.Bytes()))
	sum := sha256.Sum256(body)
	file := fmt.Appendf(nil, "ferry-copy %d %d %d %s\n", Version, c.Epoch, c.Serial, hex.EncodeToString(sum[:]))
	if file = append(file, body...); len(file) > MaxFile {
		return nil, fmt.Errorf("the estate's copy would have %d bytes, more than the %d that nodes are sent", len(file), MaxFile)
	}
	return file, nil
}

// lines cuts text into lines that every shell reads.
func lines(text string) []byte {
	var b bytes.Buffer
	for len(text) > 0 {
		n := min(len(text), 1024)
		b.WriteString(text[:n])
		b.WriteByte('\n')
		text = text[n:]
	}
	return b.Bytes()
}

// ErrDamaged: the file is no copy that can be believed.
var ErrDamaged = errors.New("the copy is damaged")

// Parse reads a file that Encode made. A copy of another version is an error that
// names the version; everything else that is wrong is ErrDamaged.
func Parse(file []byte) (*Copy, error) {
	head, body, _ := strings.Cut(string(file), "\n")
	w := strings.Fields(head)
	if len(w) < 2 || w[0] != "ferry-copy" {
		return nil, fmt.Errorf("%w: it does not begin like one", ErrDamaged)
	}
	if w[1] != strconv.Itoa(Version) {
		return nil, fmt.Errorf("the copy has version %.20q, this program knows %d: use the version that wrote it", w[1], Version)
	}
	sum := sha256.Sum256([]byte(body))
	if len(w) != 5 || w[4] != hex.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("%w: its checksum differs", ErrDamaged)
	}
	c, err := unpack(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if w[2] != strconv.FormatUint(c.Epoch, 10) || w[3] != strconv.FormatInt(c.Serial, 10) {
		return nil, fmt.Errorf("%w: its first line says other than the rest", ErrDamaged)
	}
	return c, c.check()
}

func unpack(body string) (*Copy, error) {
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(body)))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, maxJSON+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxJSON {
		return nil, errors.New("it unpacks to more than a copy can have")
	}
	c := &Copy{}
	return c, json.Unmarshal(text, c)
}

// check refuses a copy without what makes it one.
func (c *Copy) check() error {
	if c.Version != Version || c.Estate == "" || c.Engine == "" || c.Epoch == 0 || c.Definition == nil || c.Definition.Name == "" {
		return fmt.Errorf("%w: estate, engine, epoch or definition is missing", ErrDamaged)
	}
	return nil
}
