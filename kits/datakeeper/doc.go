// Package datakeeper is the kit that keeps a data disk on several nodes: the node in service writes to an array (md RAID1)
// of its own disk and of the other nodes' disks, which it reaches over the network (nbd).
//
// # What stands where
//
//	file system, application
//	array   /dev/md/…                   on the source only
//	  leg         ferry.SLUG.leg        = data disk, and behind it a small metadata file
//	  connection  ferry.SLUG.x.NODE     = multipath over a network block device, to the leg of another node
//
// Superblock and bitmap of the array lie at the end of a leg, which is the metadata file. The data disk itself is never
// changed by putting a mirror under it: an existing file system stays byte for byte, and a disk can be taken out of its
// mirror and mounted as it is.
//
// # Freeze
//
// The connection to a synchronous leg never reports an error: when it is lost, writes wait. So whoever was told that a
// write is done was told so when it was on every leg that counts as in sync. The record (see Record) names those legs. It is
// changed durably before a leg is excluded: the kernel alone never goes on without one. A frozen source whose engine is
// gone stays frozen. With on_partition = continue, and for asynchronous legs, the connection reports errors and writes go
// on; such a leg may lag behind, and is promoted only by a person's force, or when it is settled.
//
// # Settling a leg that lags behind
//
// After a stop in good order nothing is on its way any more: md ends an array only when each write was answered by each
// member, or the member was marked faulty. So the stop keeps what the source's superblock said last (SLUG.final, in no later
// generation). The leg's own node then ends its server, brings its caches to the disk and reads its superblock; when that is the
// same one, and the source's still has the leg in its place, the record calls the leg complete (Kit.Settle). That holds until any
// array runs again, and counts for nothing while the record is in doubt. A node that was booted since it served the leg cannot
// prove it (the mark is in /run).
//
// On a node where an array still runs although another node became the source, the own leg is made to answer with errors
// and whoever uses it is killed, before anything is let go (task "thaw"): a write that is on the own disk and has waited for
// another leg would succeed in that moment, but nobody is left who could tell a client so.
//
// # Membership numbers
//
// Each time a leg goes out, its number (Leg.Number) grows. A connection carries the number it was made with. Only a
// connection with the record's number can bring a leg in sync, and an exclusion ends only connections with smaller numbers:
// so one that comes late harms nobody.
//
// A leg comes back in two tasks "join": while it is out it is connected, which writes nothing to it; when a pulse has shown the
// connection the record calls it syncing, and then it is given to the array. So a leg that the record calls half a copy is one.
//
// # Scripts and their answers
//
// Each script in sh/ is sent with lib.sh before it (start and create with array.sh, too), and with these arguments first:
// slug, tag, uuid, disk, metadata file, device, generation. Answers begin with "@begin" and end with "@end"; "@failed CODE …"
// before that says that the work was not done, lines behind "|" are a tool's own words.
//
//	start    @array md127, @did assembled|already
//	create   the same, @did created|assembled|already
//	stop     @stopped
//	serve    [@fresh] @serves PORT @size SECTORS
//	dirty    @chunk BYTES @chunks N, and |5 and |7-9 for each range of dirty chunks
//	connect  @did connected
//	add      [@refused] @did partial|full|already|not-connected
//	exclude  @did excluded|already|newer
//	thaw     @did thawed|already
//	verify   @compared SECTORS, in which legs differ; or goes-on
//	uncache  nothing: what is read of the leg from here on is read from its disk
//	sums     @sums, and |MD5 for each unit of the node's own leg
//	located  notes NODE=NUMBER:BLOCKS:yes|no … on the source; no = not all of it was read
//	settle   @leg uuid=UUID events=N time=SECONDS clean=yes|no features=MAP dev=NUMBER roles=ROLE,ROLE,…
//
// The pulse (light, reads /sys and asks dmsetup; never opens the array or a disk):
//
//	@up HUNDREDTHS             uptime
//	@gen N uuid=UUID|-         the generation and the array that this node last took part in; 0 = none
//	@disk yes|no               the disk's device is there
//	@leg dm-0|none
//	@array md127 array_state=clean raid_disks=2 degraded=0 sync_action=idle sync_completed=none|DONE/ALL sync_speed=KIB mismatch_cnt=0 size=SECTORS ro=0
//	@own state=in_sync bad=no
//	@located - NODE=3:1:yes …  what locate found for the member of that number, after the last comparison
//	@far NODE number=3|pending mode=freeze|continue|asynchronous state=in_sync,write_mostly|none bad=no path=A|F|- connected=yes|no flights=0 stalled=HUNDREDTHS
//	@still STATE               array_state again, when all was read: the array may have been stopped meanwhile
//	@final GEN uuid=UUID …     how the last array ended here in good order, as in settle; it does not run now
//	@server PORT               the own leg is served
//
// state=none is a connection that the array does not have (any more). stalled counts from the first pulse that saw requests
// wait, or no path, without one request done since. number=pending is a connection whose join has not ended.
//
// What the kit cannot know: a disk that says it has written what it has not.
package datakeeper
