// Package orainst is what the kits oracle and listener have in common: how an Oracle
// installation is found on a node and used there. It is no kit and decides nothing.
//
// It holds a shell prelude (prelude.sh), which both kits put before their scripts, and the
// reading of what such scripts print (Answer), of oratab (ParseOratab) and of what starts by itself at
// boot (Autostarts).
//
// # What is relied on
//
// Tools run as the owner of the installation, through runuser, with ORACLE_SID, ORACLE_HOME and an English NLS_LANG,
// and log in by the operating system ("/ as sysdba"): no password is asked for, kept or passed.
//
// Processes are found in /proc, never by ps, whose columns cut long names off. An instance's
// background processes are called ora_NAME_SID, its servers oracleSID; a listener is
// HOME/bin/tnslsnr NAME. SID and name count as a whole (ORCL is not ORCL2), and the process
// is ours only when its program lies in our ORACLE_HOME.
package orainst
