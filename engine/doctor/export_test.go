package doctor

import "time"

// Offset is what is certain about a node's clock.
func Offset(f *Facts) (low, high time.Duration, ok bool) { return f.offset() }
