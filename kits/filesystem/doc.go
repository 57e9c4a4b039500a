// Package filesystem is the kit for a file system that is mounted on the node where the
// resource is in service: on the mirror of a datakeeper resource, as a rule, or on any
// other disk that the nodes share or replicate by themselves.
//
// In service means: the whole of the device is mounted on the mount point, it can be
// written to, and the disk under it answers. The scripts under sh/ print what the node
// says and carry changes out; what it means is judged in Go (mountinfo.go, judge.go).
// A device is compared by its number, never by its name: md127 is another array
// after a boot, and names are links.
//
// # What is never done
//
//   - Nothing is unmounted but our device's own file system on its own mount point, and
//     what is mounted below that point. Another device on the point, our device elsewhere,
//     a bind mount: the action fails and touches nothing.
//   - A system directory is no mount point, and a device that the running system stands on
//     is not ours. Validate refuses it, and so does each script again, from the mount table.
//   - No lazy and no forced unmount: both say "gone" while data is still to be written.
//   - No repair that could lose data: never "fsck -y", never "xfs_repair -L". The journal is
//     replayed by the mount itself. An ext file system that has recorded errors gets "e2fsck -p"
//     first, which mends what needs nobody's decision; where that is not enough a person decides.
//   - No remount from read-only to writable. A file system goes read-only because the kernel no
//     longer trusts it; whoever makes it writable without a check of its structure writes on. So such
//     a check fails, recovery fails too, and the resource moves, where it is unmounted here
//     and mounted afresh there, or a person decides.
//   - No signal to process 1, to threads of the kernel, to sshd, systemd, ferry itself, or
//     to any process that the script hangs on.
//
// # A disk that does not answer
//
// A mirror that waits for a leg lets every write wait, and that is no failure: it must not
// move the service. The probe of a check therefore runs in a process of its own; when it does
// not come back in time the outcome is Unknown. Such a process cannot be ended,
// so the next check finds it by its pid and start time and waits for that one; there is
// never a second. The same goes for a mount and an unmount under way: an unmount leaves the table
// of mounts at once, and may then write for minutes. It counts as done when its process has ended
// and the kernel has let go of the device (/sys/fs/ext4/NAME, /sys/fs/xfs/NAME), which also
// tells when it is still mounted in another mount namespace, a container's.
//
// The probe overwrites one block, .ferry-check in the file system's root, flushes it, and
// reads it back past the cache. It does so on the active node only.
//
// # Who is in the way
//
// When the point is busy the holders are looked for: working directory, root, program, open
// files, mapped files, bound sockets. A path alone proves nothing (a file opened below the mount
// point before the mount has the same one), so each is confirmed by the id of the mount or the
// device's number, and once more, with the process's start time, right before each signal: TERM,
// then KILL. With FS_KILL=0 nothing is ended and the stop fails with their names. Swap files, loop
// devices and NFS exports are named; they are a person's to end.
//
// # Quiet after a reboot
//
// A line of /etc/fstab without noauto, or a mount or automount unit that is enabled, for the
// point or the device, makes a node not eligible.
//
// # Which file systems
//
// ext4, ext3 and xfs. Without a journal (ext2, vfat) a takeover after a crash needs a
// repair that only a person should start; btrfs and zfs do not show the number of their device in
// the table of mounts, so that "the right device" could not be proven.
package filesystem
