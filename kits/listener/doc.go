// Package listener is the kit for one Oracle Net listener. It stands above the database that it leads to, and above the
// address and name that it listens on: they are there before it starts.
//
// Like the kit oracle it follows Oracle's documentation; docs/oracle.md says what was and what was not tried.
//
// # The process
//
// HOME/bin/tnslsnr NAME, found in /proc by its program and its first argument (upper and lower case
// do not count in a listener's name). One of another ORACLE_HOME or another name is not ours, however long the
// name of the user it runs as.
//
// # The check
//
// The process is there; "lsnrctl status" ends with success, which one that hangs does not; and each of its TCP addresses
// answers a tnsping. No answer of a listener within LISTENER_CHECK_TIMEOUT, while its process lives, is unknown when the
// node was slow (a second question that does not go to the listener took too long as well), and a failure
// otherwise: unlike a database, a listener loses nothing when it is started again.
// Services that are blocked or not registered make it impaired: that is the database's doing.
//
// # Start
//
// Before it starts, every host name in its addresses must resolve, on this node, to an address that this node carries:
// with a name in Route 53 that is the case a moment after the record was changed. So the start waits for that,
// LISTENER_RESOLVE_TIMEOUT. Afterwards the databases beneath are asked to register at once, which they would do within a minute.
//
// # Protection level
//
// LifeKeeper's words: full starts, monitors and stops it; intermediate does not stop it; minimal only starts it. Below
// full the listener may run anywhere, so its presence repeats the claim.
//
// # listener.ora
//
// Read as Oracle writes it (ora.go): nested lists in parentheses, comments, quotes, several listeners, IFILE. What
// is not understood is refused with the line.
package listener
