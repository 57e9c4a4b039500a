package filesystem

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/kits"
)

// What kernels 4.18 to 6.18 say, of many kinds.
var captured = map[string]mount{
	`36 35 98:16 / /oradata rw,noatime shared:41 - ext4 /dev/ubdb rw,errors=remount-ro`: {
		id: 36, parent: 35, major: 98, minor: 16, root: "/", point: "/oradata", options: []string{"rw", "noatime"},
		fsType: "ext4", source: "/dev/ubdb", super: []string{"rw", "errors=remount-ro"},
	},
	`96 95 9:127 / /mnt/my\040data rw,relatime - xfs /dev/md127 rw,attr2,inode64,noquota`: {
		id: 96, parent: 95, major: 9, minor: 127, root: "/", point: "/mnt/my data", options: []string{"rw", "relatime"},
		fsType: "xfs", source: "/dev/md127", super: []string{"rw", "attr2", "inode64", "noquota"},
	},
	`41 22 259:1 /srv/a\134b /x\011y rw master:1 propagate_from:2 unbindable - ext4 /dev/\043odd ro`: {
		id: 41, parent: 22, major: 259, minor: 1, root: `/srv/a\b`, point: "/x\ty", options: []string{"rw"},
		fsType: "ext4", source: "/dev/#odd", super: []string{"ro"},
	},
	`28 1 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw`: {
		id: 28, parent: 1, major: 0, minor: 26, root: "/", point: "/sys/fs/cgroup", options: []string{"rw", "nosuid", "nodev", "noexec", "relatime"},
		fsType: "cgroup2", source: "cgroup2", super: []string{"rw"},
	},
}

func TestParseMount(t *testing.T) {
	for line, want := range captured {
		got, err := parseMount(line)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v %v\nwant %+v", line, got, err, want)
		}
	}
	for _, line := range []string{
		"", "36", "36 35 98:0 / /x rw", "36 35 98:0 / /x rw - ext4", "a 35 98:0 / /x rw - ext4 /dev/x rw", "36 35 98 / /x rw - ext4 /dev/x rw",
		"36 35 98:-1 / /x rw - ext4 /dev/x rw", "36 35 98:0 / x rw - ext4 /dev/x rw", "36 35 98:0 / /x rw - ext4 /dev/x rw more",
	} {
		if m, err := parseMount(line); err == nil {
			t.Errorf("%q was read as %+v", line, m)
		}
	}
}

func TestReadOnly(t *testing.T) {
	for line, want := range map[string]bool{
		"1 2 8:1 / /x rw - ext4 /dev/x rw": false, "1 2 8:1 / /x ro - ext4 /dev/x rw": true, "1 2 8:1 / /x rw - ext4 /dev/x ro,errors=remount-ro": true,
		"1 2 8:1 / /x rw - ext4 /dev/x rw,emergency_ro": true, "1 2 8:1 / /x rw - xfs /dev/x rw,shutdown": true, "1 2 8:1 / /x rw - ext4 /dev/x rw,errors=remount-ro": false,
	} {
		m, err := parseMount(line)
		if err != nil || m.readOnly() != want {
			t.Errorf("%s: read-only %v %v", line, m.readOnly(), err)
		}
	}
}

// What the kernel writes for a path is read back as that path.
func TestPathsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := "/" + rapid.StringOf(rapid.RuneFrom([]rune("aZ0 \t\n\\#/ä-_.:x"))).Draw(t, "path")
		if got := decode(encode(p)); got != p {
			t.Fatalf("%q came back as %q (%s)", p, got, encode(p))
		}
		if strings.ContainsAny(encode(p), " \t\n") {
			t.Fatalf("%q has a separator in it", encode(p))
		}
	})
}

func FuzzParseMount(f *testing.F) {
	for line := range captured {
		f.Add(line)
	}
	f.Add(`1 2 3:4 / /\0 rw - a b c`)
	f.Add(`1 2 3:4 / /\777 - - - - -`)
	f.Fuzz(func(t *testing.T, line string) {
		m, err := parseMount(line)
		if err != nil {
			return
		}
		if !strings.HasPrefix(m.point, "/") || m.major < 0 || m.minor < 0 || m.fsType == "" && !strings.Contains(line, "-  ") {
			t.Errorf("%q was read as %+v", line, m)
		}
		// Put together again it reads the same.
		again := fmt.Sprintf("%d %d %s %s %s %s - %s %s", m.id, m.parent, m.number(), encode(m.root), encode(m.point), strings.Join(m.options, ","), m.fsType, encode(m.source))
		if len(m.super) > 0 {
			again += " " + strings.Join(m.super, ",")
		}
		n, err := parseMount(again)
		if err == nil && (n.number() != m.number() || n.point != m.point || n.root != m.root) {
			t.Errorf("%q and %q differ: %+v %+v", line, again, m, n)
		}
	})
}

// No answer whatever is OK without the mount of the right device in it, and nothing of it reaches a screen unclean.
func FuzzJudge(f *testing.F) {
	const whole = "@room 4096 262144 250000 236000 65536 65000\n@written\n@probe 0\n@number 98:16\n@name ubdb\n@ro 0\n@errors 0\n@alive\n@mounts\n36 35 98:16 / /oradata rw,noatime shared:41 - ext4 /dev/ubdb rw\n@end\n"
	f.Add(whole)
	f.Add(strings.Replace(whole, "98:16 /", "98:0 /", 1))
	f.Add("@nodevice\n@mounts\n@end\n")
	f.Add("@stuck 40\n" + whole)
	f.Add("@occupied /oradata\n@holder 12 cwd - \x1b[31msh\n@number 98:16\n@mounts\n@end\n")
	f.Fuzz(func(t *testing.T, s string) {
		in := instance()
		res := kits.Result{Stdout: s}
		reports := map[string]kits.Report{"check": (Kit{}).JudgeCheck(in, res, nil), "start": judgeStart(in, res, nil), "stop": judgeStop(in, res, nil)}
		for what, r := range reports {
			if strings.ContainsAny(fmt.Sprint(r), "\x1b\x00\x07") {
				t.Errorf("%s: control characters from %q", what, s)
			}
			if r.Outcome != kits.OK && (r.Reason.Code == "" || r.Reason.Text == "") {
				t.Errorf("%s: no reason for %v from %q", what, r.Outcome, s)
			}
			if r.Outcome == kits.OK && what != "stop" && !(strings.Contains(s, "/oradata") && strings.Contains(s, "@probe 0") || strings.Contains(s, "@write ") || strings.Contains(s, "@read ")) {
				t.Errorf("%s: ok from %q", what, s)
			}
		}
		if reports["stop"].Outcome == kits.OK && reports["check"].Outcome == kits.OK {
			t.Errorf("gone and there at once: %q", s)
		}
		judgeEligible(in, res, nil)
	})
}

func instance() kits.Instance {
	return kits.Instance{
		Tag: "service/fs", Node: kits.Node{Name: "A"},
		Attrs: map[string]string{FieldMountPoint: "/oradata", FieldDevice: "/dev/md/ferry-data"},
	}
}

// What the disk answers, and what it means: only what is the disk's fault is a failure.
func TestWhatTheDiskAnswers(t *testing.T) {
	const rest = "@number 98:16\n@name ubdb\n@ro 0\n@errors 0\n@alive\n@mounts\n36 35 98:16 / /oradata rw,noatime - ext4 /dev/ubdb rw\n@end\n"
	const room = "@room 4096 262144 250000 236000 65536 65000\n"
	for said, c := range map[string]struct {
		o    kits.Outcome
		code string
	}{
		room + "@written\n@probe 0\n": {kits.OK, ""},
		room + "@write dd: failed to open '/oradata/.ferry-check': Read-only file system\n@probe 0\n":  {kits.Failed, "filesystem.read-only"},
		room + "@write dd: fsync failed for '/oradata/.ferry-check': Input/output error\n@probe 0\n":   {kits.Failed, "filesystem.disk-error"},
		room + "@write dd: failed to open: Structure needs cleaning\n@probe 0\n":                       {kits.Failed, "filesystem.disk-error"},
		room + "@write dd: error writing '/oradata/.ferry-check': No space left on device\n@probe 0\n": {kits.OK, "filesystem.full"},
		room + "@write dd: failed to open: Too many open files in system\n@probe 0\n":                  {kits.Unknown, "filesystem.probe-words"},
		room + "@write sh: dd: not found\n@probe 0\n":                                                  {kits.Unknown, "filesystem.probe-words"},
		room + "@read what was written is not what is read\n@written\n@probe 0\n":                      {kits.Failed, "filesystem.disk-error"},
		room + "@probe 0\n": {kits.Unknown, "filesystem.probe"},
		"@probe 3\n":        {kits.Unknown, "filesystem.probe"},
		"stat: cannot read file system information for '/oradata': Input/output error\n@probe 3\n": {kits.Failed, "filesystem.disk-error"},
		"@late 5\n":    {kits.Unknown, "filesystem.slow"},
		"@stuck 305\n": {kits.Unknown, "filesystem.frozen"},
		"":             {kits.Unknown, "filesystem.probe"},
		"@room 4096 262144 26214 26214 65536 65000\n@written\n@probe 0\n": {kits.OK, "filesystem.full"},
		"@room 4096 262144 26215 26215 65536 6553\n@written\n@probe 0\n":  {kits.OK, "filesystem.no-inodes"},
		"@room 4096 262144 26215 26215 65536 6554\n@written\n@probe 0\n":  {kits.OK, ""},
		"@room 4096 262144 999999 0 1 1\n@written\n@probe 0\n":            {kits.Unknown, "filesystem.unreadable"},
		room + "@foreign 1 1000 symbolic link\n@probe 0\n":                {kits.OK, "filesystem.probe-file"},
	} {
		r := (Kit{}).JudgeCheck(instance(), kits.Result{Stdout: said + rest}, nil)
		if r.Outcome != c.o || r.Reason.Code != c.code || r.Impaired != (c.o == kits.OK && c.code != "") {
			t.Errorf("%q: %v impaired %v %s %q, want %v %s", said, r.Outcome, r.Impaired, r.Reason.Code, r.Reason.Text, c.o, c.code)
		}
		if c.code != "filesystem.unreadable" && r.Presence != kits.Present {
			t.Errorf("%q: presence %q of what is mounted", said, r.Presence)
		}
	}
}

func TestUnitNames(t *testing.T) {
	for p, want := range map[string]string{"/oradata": "oradata", "/var/lib/pg-data": `var-lib-pg\x2ddata`, "/mnt/my data": `mnt-my\x20data`, "/.x": `\x2ex`, "/a.b_c:d": "a.b_c:d"} {
		if got := unitName(p); got != want {
			t.Errorf("%s: %s, want %s", p, got, want)
		}
	}
}

func TestDeviceOfTheMirror(t *testing.T) {
	in := instance()
	delete(in.Attrs, FieldDevice)
	if d := Device(in); d != "" {
		t.Errorf("without a child: %q", d)
	}
	in.Children = []kits.Relative{{Tag: "service/ip", Kit: "ip"}, {Tag: "service/ferry-data", Kit: "datakeeper", On: map[string]map[string]string{"A": {}, "B": {"device": "/dev/md127"}}}}
	if d := Device(in); d != "/dev/md/ferry-data" {
		t.Errorf("of a child without the field: %q", d)
	}
	in.Children[1].Tag = "service/data.v2"
	if d := Device(in); d != "/dev/md/data-v2" {
		t.Errorf("of a tag with a dot: %q", d)
	}
	in.Node.Name = "B"
	if d := Device(in); d != "/dev/md127" {
		t.Errorf("of a child with the field: %q", d)
	}
	in.Attrs[FieldDevice] = "/dev/vdb"
	if d := Device(in); d != "/dev/vdb" {
		t.Errorf("of its own: %q", d)
	}
}

func TestValidate(t *testing.T) {
	good := instance()
	if p := (Kit{}).Validate(good); len(p) > 0 {
		t.Fatal(p)
	}
	for _, c := range []struct{ field, value string }{
		{FieldMountPoint, ""}, {FieldMountPoint, "/"}, {FieldMountPoint, "oradata"}, {FieldMountPoint, "/oradata/"}, {FieldMountPoint, "/a/../etc"}, {FieldMountPoint, "/usr"},
		{FieldMountPoint, "/var"}, {FieldMountPoint, "/etc/x"}, {FieldMountPoint, "/boot/efi"}, {FieldMountPoint, "/dev/shm"}, {FieldMountPoint, "/run/x"}, {FieldMountPoint, "/x\ny"}, {FieldMountPoint, `/x\040y`},
		{FieldMountPoint, "/home"}, {FieldMountPoint, "/var/lib/ferry/x"}, {FieldMountPoint, "/proc"},
		{FieldDevice, "vdb"}, {FieldDevice, "/dev/../etc/passwd"}, {FieldDevice, "/dev/"}, {FieldDevice, "/tmp/x"}, {FieldDevice, "UUID=1"}, {FieldDevice, "/dev/-x"}, {FieldDevice, "/dev/a b"},
		{FieldType, "btrfs"}, {FieldType, "ext2"}, {FieldType, "nfs"},
		{FieldOptions, "noauto"}, {FieldOptions, "noatime,remount"}, {FieldOptions, "ro,rw"}, {FieldOptions, "noatime,,nodev"}, {FieldOptions, "x-systemd.automount"}, {FieldOptions, "bind"},
		{FieldOptions, "nobarrier"}, {FieldOptions, "norecovery,ro"}, {FieldOptions, "noatime -t tmpfs"}, {FieldOptions, "a;b"}, {FieldOptions, "errors=continue"},
	} {
		in := instance()
		in.Attrs[c.field] = c.value
		p := (Kit{}).Validate(in)
		if len(p) != 1 || p[0].Field != c.field || p[0].Fix == "" {
			t.Errorf("%s=%q: %+v", c.field, c.value, p)
		}
	}
	for _, c := range []struct{ field, value string }{
		{FieldMountPoint, "/var/lib/pgsql"}, {FieldMountPoint, "/opt/oracle/data"}, {FieldMountPoint, "/u01/my data"}, {FieldMountPoint, "/usr/local/pgsql/data"},
		{FieldDevice, "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123"}, {FieldDevice, "/dev/mapper/vg-lv"},
		{FieldType, "xfs"}, {FieldOptions, "noatime,nodev,logbsize=256k,data=ordered"}, {FieldOptions, "ro,noatime"}, {FieldOptions, "discard"},
	} {
		in := instance()
		in.Attrs[c.field] = c.value
		if p := (Kit{}).Validate(in); len(p) > 0 {
			t.Errorf("%s=%q: %+v", c.field, c.value, p)
		}
	}
	in := instance()
	in.Attrs[FieldOptions] = "discard"
	in.Children = []kits.Relative{{Tag: "service/x", Kit: "datakeeper"}}
	if p := (Kit{}).Validate(in); len(p) != 1 {
		t.Errorf("discard on a mirror: %+v", p)
	}
}

// The scripts refuse what Validate refuses, whoever calls them: the lists do not drift apart.
func TestTheScriptsKnowTheSystemDirectories(t *testing.T) {
	_, list, _ := strings.Cut(libSh, "careful() {")
	list, _, _ = strings.Cut(list, "system_device=1\n\t\t;;")
	for _, dir := range systemDirs {
		if !strings.Contains(list, " "+dir+" |") && !strings.Contains(list, " "+dir+")") && !strings.Contains(list, "\t"+dir+" |") {
			t.Errorf("careful does not know %s", dir)
		}
	}
}

func TestTimeoutsCoverTheScripts(t *testing.T) {
	in := instance()
	in.Tuning = map[string]string{StartTimeout: "300", StopTimeout: "200", CheckTimeout: "9"}
	for a, least := range map[kits.Action]float64{kits.ActStart: 609, kits.ActRecover: 609, kits.ActStop: 215, kits.ActCheck: 11} {
		if d := (Kit{}).Timeout(a, in).Seconds(); d < least {
			t.Errorf("%s: %v s", a, d)
		}
	}
}

func TestChoicesIn(t *testing.T) {
	var table []mount
	for _, line := range []string{
		"1 2 259:1 / / rw - ext4 /dev/nvme0n1p1 rw", "1 2 9:127 / /oradata rw - xfs /dev/md127 rw", "1 2 9:127 /sub /srv/x rw - xfs /dev/md127 rw",
		"1 2 0:41 / /mnt/b rw - btrfs /dev/vdc rw", "1 2 254:16 / /data rw - ext4 /dev/vdb rw", "1 2 259:15 / /boot/efi rw - vfat /dev/nvme0n1p15 rw",
	} {
		m, err := parseMount(line)
		if err != nil {
			t.Fatal(err)
		}
		table = append(table, m)
	}
	for field, want := range map[string]string{FieldMountPoint: "[/data /oradata]", FieldDevice: "[/dev/md127 /dev/vdb]", FieldType: "[ext4 xfs]"} {
		if got := fmt.Sprint(choicesIn(kits.Instance{}, table, field)); got != want {
			t.Errorf("%s: %s, want %s", field, got, want)
		}
	}
	if got := fmt.Sprint(choicesIn(instance(), table, FieldDevice)); got != "[/dev/md127]" {
		t.Errorf("once the point is known: %s", got)
	}
}
