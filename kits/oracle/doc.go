// Package oracle is the kit for one Oracle database instance (12c and later, one
// instance, no RAC) whose files lie on a file system that moves with it.
//
// Nothing of Oracle could be had where this was written: commands, states and messages follow Oracle's documentation,
// and the scripts are tried with stand-ins that repeat documented sessions (testdata/bin). docs/oracle.md says what that leaves open.
//
// # How it talks to Oracle
//
// sqlplus as SYSDBA, logged in by the operating system as the owner of the installation. There is no
// password anywhere. A field may name a second login without a password (a wallet's alias): the check
// uses it after its own, and whatever is wrong with it makes the resource impaired, never failed.
//
// # The check
//
// The instance's PMON, found in /proc by its whole name and by the program it runs (another ORACLE_HOME
// with the same SID is not ours); then one session that asks v$instance, v$database and where the files
// are. What follows:
//
//	no PMON                                failed
//	STARTED or MOUNTED                     failed: recovery opens it
//	no answer in time while PMON lives     unknown: a slow database moves nothing
//	login refused, coming up, going down   unknown
//	open, but read only, in standby role, restricted, suspended, archiver stuck, recovery area
//	nearly full, files outside, monitor's account expired or locked
//	                                       in service, impaired, with the reason: a failover mends none of these,
//	                                       the other node would meet the same files
//
// # Start and recovery
//
// In steps, NOMOUNT, MOUNT, OPEN, each from whatever is found (ORA-01081 and a half-done start
// are no errors), so that role and backup mode are seen before it is opened. A physical
// standby is never opened. Data files in backup mode after a crash are taken out of it, which is what
// Oracle documents for files that were not restored from a backup; those that are older than the control file knows
// are left to a person. A restricted session is an administrator's deed and stays. A recovery does the
// same, and may abort what is left of a dead instance first.
//
// The steps run in a transient systemd unit, because the processes of the instance must outlive the caller.
// A start whose caller was lost goes on in it, and the next one awaits it.
//
// # Stop
//
// IMMEDIATE, after ORACLE_SHUTDOWN_TIMEOUT ABORT, and at last KILL to the processes that are provably this instance's. It
// is stopped when none of them is left.
//
// # Files
//
// Data, temporary, redo, control, archive files, the recovery area and the change tracking file must lie below
// the mount points of the file system resources beneath: eligibility and check name the directories that do not.
package oracle
