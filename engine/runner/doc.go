// Package runner carries plans out.
//
// A plan is a graph of steps; independent steps run side by side. Before a step
// has any effect its intent is in the journal, after it its result is, together
// with the states that follow from it (one transaction, made by the Recorder).
// So an engine that dies at any moment leaves behind which steps may have had an
// effect, and the next engine resumes: it ends or awaits the scripts that still
// run under the dead engine's names, then finishes or undoes.
//
// Rules, the same for a live operation and a resumed one:
//
//   - Before the plan's point of no return a failed or unknown step stops the
//     plan, and what was done is undone (plan.Undo).
//   - From that point on the plan only goes forward: an unknown result is tried
//     again with growing pauses; a failed one ends the operation as failed, and
//     the policy decides what comes next.
//   - A step is repeated only because kits' actions are idempotent, and never
//     while an earlier attempt of it may still run.
//   - A start stands on what this plan started before it on the same node; when that
//     was a while ago it is looked at first, and started again when it is gone.
//
// The runner decides nothing about clusters and knows neither SSH nor AWS: a
// Doer performs the steps, a Recorder keeps the journal.
package runner
