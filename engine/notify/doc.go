// Package notify tells people, or their programs, what happens in an estate: it reads
// the engine's events and hands those that a channel of the definition asks for
// ([notify.NAME]) to that channel.
//
// Classify gives an event its kind and severity; Compose makes the Message that is
// delivered; a Sender delivers one message over one channel (exec, webhook, mail, SNS)
// within a deadline; a Notifier does it for all channels, as long as it is let.
//
// # What is guaranteed
//
// The engine never waits for a delivery: every channel has a goroutine and a bounded
// queue of its own, and no queue that is full holds anybody up.
//
// An event is delivered to a channel at least once, unless it is given up: after
// MaxTries tries, after GiveUpAfter, because the queue was full, because it was older
// than MaxAge when an engine came back to it, or because the channel was taken out of
// the definition. What was given up is counted, and the first of a row is an event of its
// own, which the other channels are told. How far a channel has got is stored with each
// event that is settled, so a restart delivers nothing twice, but for the one message
// that was under way when the engine was killed: Message.ID is the same then.
//
// Events of one channel arrive in their order. A channel that is new begins with what
// happens from then on.
//
// # What it never does
//
// It decides nothing, answers no question, and keeps no secret: those are read from
// their files at each delivery, so a file that is changed counts at once.
package notify
