// Package doctor is the page on which ferry doctor's findings stand: what of the ground
// that the estate rests on is not as a failover needs it, why that matters, and how it
// is put right. With a server as its argument it shows what concerns that one.
//
// Opening the page examines once, and says so while it runs: every server is asked once,
// and AWS; nothing is changed. Nothing runs after that but on a key. What was found stays
// on the screen with its age while it is looked for anew.
//
// Findings stand in groups, the worst first: failed, unknown, warnings; what passed is
// shown on a key. Unknown is a group of its own, since it is neither of the others.
//
// A fix that is safe can be carried out here (mend.go): a window shows exactly the command
// and where it runs, and asks. The engine runs it only if it still is, word for word, what
// was shown. A command that cannot be shown as it is, is not offered.
//
// The English of the checks stands in engine/doctor. In Japanese each has a text in
// catalog/ja/checks.toml, and so have what was found at a place and what is to be done there, by the
// code that the engine gives, in reasons-doctor.toml and fix.toml; what has no such text is in the
// engine's own words.
package doctor
