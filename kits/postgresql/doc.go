// Package postgresql is the kit for one PostgreSQL cluster in the product's own sense of the word: one data
// directory and the server (the postmaster with its children) that works in it.
//
// # What belongs to the cluster
//
// A process is the cluster's when its program is PostgreSQL's and its working directory is the data directory: the
// server changes there when it starts, its children inherit it, and nothing else has both. That is how the kit finds what
// runs, what is left of a server that died, and what a stop may end. A process id by itself, as in postmaster.pid,
// proves nothing: after a failover it was written by another node, after a reboot it is anybody's. So two clusters
// of one user are never taken for each other, and nothing of another one is ever touched.
//
// # Start
//
// The server is the main process of a transient systemd unit of its own, "ferry-postgresql-" and the tag, so that it outlives
// its caller, and is ended by systemd on a shutdown as the distributions' units do (SIGINT to the server, fast). A start
// that lost its caller goes on in that unit; the next one finds the server and awaits it. Before anything is started:
//
//   - the data directory lies on the file system of a "filesystem" child, where the resource has one, and so do pg_wal and
//     every tablespace. Nothing is started in, and nothing ever made in, an empty directory beneath an unmounted mount point;
//   - PG_VERSION is the binaries' major version, the directory's owner is the OS user's number on this node, and
//     the configuration names this directory;
//   - there is no standby.signal or recovery.signal: what is to be decided there is a person's;
//   - no child of an earlier server is left: those go by themselves within a moment unless they are stuck; then they are told to (QUIT),
//     and with PG_KILL killed;
//   - postmaster.pid is removed only when its process lives (or is dead and not yet buried), is none of this cluster's, and no process
//     of the cluster is there. One whose process is gone is left to the server, which then also checks the shared memory.
//
// The port is given on the command line, so that it is the resource's whatever postgresql.conf says; the socket directory is
// added to the configured ones when it is not among them.
//
// Replaying the log after a crash is progress, not failure: the server is awaited for PG_START_TIMEOUT. When that is over the start
// has failed (not-ready), but the server goes on replaying: a move to another node would begin the same replay anew, on the
// same data. The next start, there, goes on waiting for it, and a stop ends it.
//
// # Check
//
// One query over the unix socket, as the OS user under the name of the DB user: no password anywhere. It reads memory and
// pg_control only. There is no probe that writes. A commit of the check's own would go into the log that is
// replicated, archived and decoded; and it would add nothing to safety: a server that cannot write its log panics, which is seen, and a
// disk that lets writes wait for a while, as a mirror does on purpose when it loses a leg, must not count as failed.
// Instead the application's own commits are looked at: some that have been waiting for the disk for 10 s are shown (impaired).
//
//	the answer                                           ok
//	it says: standby, read-only, collations changed      ok, impaired: moving it to another node would change nothing
//	too many clients, password or role refused           ok, impaired: the check is not let in, others are
//	starting up, replaying, shutting down                unknown
//	no answer in time while the server lives             unknown; failed with PG_HANG_FAILS = 1
//	an error of the system or of the data (58…, XX…)     failed
//	socket missing, but it answers over TCP              ok, impaired
//	socket missing and no answer over TCP                failed: nobody can connect
//	no server                                            failed
//
// Servers speak the language of lc_messages; so their words decide nothing: pg_isready tells accepting
// from rejecting from silence by the protocol, and errors of the query have their SQLSTATE. The kit keeps no state and so cannot know for how
// long a server has been silent: one silence is unknown, and unknown moves nothing. Who prefers a restart sets PG_HANG_FAILS.
//
// Presence out of service: a process of this data directory, whoever started it.
//
// # Stop
//
// Fast (PG_STOP_TIMEOUT), then immediate (PG_IMMEDIATE_TIMEOUT), then, unless PG_KILL is 0, KILL to the server and to what is left
// of its children. Each signal is sent by pg_ctl as the OS user, after another look at the process. For the data a KILL
// is a power-off: the next start replays. OK only when no process of the cluster is left.
//
// # Recovery
//
// A server that is gone is started again. One that runs is only taken down when its check failed all the same (nobody can
// connect; hung, with PG_HANG_FAILS); never one that is silent, refuses or replays.
//
// # Boot
//
// Eligible refuses what would start the cluster when the node boots: Debian's instances and start.conf (auto), other
// distributions' units by their PGDATA. A unit that does not say which data it starts is refused too.
//
// # Limits
//
// Versions from 10 on are asked in full; older ones do not know the query. Libraries that postgresql.conf preloads are only missed when the
// server starts. What conf.d files say is not read when choices are offered; the server itself reads them.
package postgresql
