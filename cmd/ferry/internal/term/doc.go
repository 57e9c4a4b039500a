// Package term is what the commands know of the place they write to: whether it
// is a terminal, how wide, whether colours and box characters are wanted; and
// how text that came from elsewhere is made harmless and measured.
//
// Clean is the gate for everything that a node, a cloud or another person wrote:
// it takes control characters, escape sequences and direction marks out. Pad, Cut
// and Wrap count cells, so that Japanese names do not bend a table. Style paints
// and is empty where colours are off, so callers never ask.
//
// The package prints nothing itself and reads no environment but through Detect.
package term
