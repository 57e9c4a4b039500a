// Package fleet is how the engine reaches its nodes: it joins the definition's
// servers to sshexec's pool, and kits' scripts to sshexec's jobs.
//
// Every script that changes a node goes out guarded: under the name of its
// operation's step, under a lock, and with the engine's identity {estate, engine,
// epoch}, which the node compares with its own record before anything runs. What
// only reads goes out plain. The fleet also reads and writes the claims that every
// node keeps in /var/lib/ferry/claims, a line "claim CLUSTER/TAG NUMBER" each.
//
// Who leads a node is told to whoever asked for it (OnLeader), wherever a record is read
// or a node refuses. Beside the claims every node keeps a copy of the estate in
// /var/lib/ferry/copy, which PutCopy writes and Remains reads, with all else that is
// left when the engine is lost.
//
// It satisfies monitor.Prober and hands kits.Host to the engine's doer. It judges
// nothing: an error from here means that the outcome is unknown.
package fleet
