// Package confirm is the prompt for a question that the engine asks a person: may a
// service move, as a rule into another region? It is the most serious screen of the
// console, and is made so that nobody answers it by reflex.
//
// A Window shows what would move where and why, what is known (each reason, who reaches
// whom, how old that is), the plan, what happens when nobody answers, and the answers
// that are possible now. An answer is chosen first, then its words are typed (the target
// region; for "it is off" the node's name before that), then enter sends it. Nothing is
// chosen when the window opens. A "no" is typed, too, or enter is pressed twice.
//
// It follows the snapshot: when somebody else answers, the time is up or the cause is
// gone, it says so at once and takes no more answers. What is being typed at that moment
// is swallowed until esc is pressed, so that it acts on nothing else. When the engine is
// lost, what was typed stays.
//
// What is known of a question (Facts) is also shown beside the list of questions.
//
// The window decides nothing: whether an answer holds is the engine's word, which is
// shown as it comes.
package confirm
