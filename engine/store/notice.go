package store

// Notices is a store that can tell people what is wrong with it although it works,
// or why it stopped working. Both implementations are.
type Notices interface {
	// Notice is one sentence for people; empty while all is well.
	Notice() string
}

const noticeFull = "the store is full: nothing can be recorded, so nothing is started; make space on the engine's disk"
