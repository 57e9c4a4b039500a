package e2e

// nodeDefect is one thing that is wrong with a node.
type nodeDefect struct {
	name, node string
	do         string
	undo       string // as a person would; empty = the doctor's own fix does
	want       []string
	fix        string // stands in what the first finding says is to be done
}

// away hides a file, back puts it where it was.
func away(path string) string { return "mv " + path + " " + path + ".away" }
func back(path string) string { return "mv " + path + ".away " + path }

// changed keeps a file for back and changes it.
func changed(path, how string) string { return "cp -p " + path + " " + path + ".away\n" + how }

// strangers ends the engine's logins, so that it has to log in anew.
const strangers = "\npkill -KILL -u ferry; true"

// nodeDefects are what can really be brought about on the lab's guests. They have no SELinux, no firewalld and no ufw, one
// release of one distribution with one kernel, no udev, and no Oracle: those are tried in the simulation. What silences a
// node is tried on the VPN nodes, because those are compared with nobody.
func nodeDefects() []nodeDefect {
	const report = "/usr/local/sbin/report"
	const mirror, fs, pg = "kit.datakeeper@service/datakeeper-pgdata on ", "kit.filesystem@service/pgdata on ", "kit.postgresql@service/pg-15 on "
	on := func(node string, all ...nodeDefect) []nodeDefect {
		for i := range all {
			all[i].node = node
			for k := range all[i].want {
				all[i].want[k] += node
			}
		}
		return all
	}
	one := func(name, do, undo, want, fix string) nodeDefect {
		return nodeDefect{name: name, do: do, undo: undo, want: []string{want}, fix: fix}
	}
	pair := func(name, do, undo, check, fix string) nodeDefect { // what is found by comparing the pair
		return nodeDefect{name: name, node: "LK_P_B", do: do, undo: undo, want: []string{check + "@service"}, fix: fix}
	}
	sysctl := func(name, key, value, check string) nodeDefect {
		return one(name, "echo "+value+" >/proc/sys/net/ipv4/"+key, "", check+"@", "/etc/sysctl.d/60-ferry-")
	}
	notForwarding := sysctl("no forwarding", "ip_forward", "0", "vpn.forwarding")
	notForwarding.want = append(notForwarding.want, "vpn.redirects@") // the kernel accepts them again with the same switch, and no more when it is mended
	out := on("LK_P_A",
		one("a tool is missing", away("/bin/sync"), back("/bin/sync"), "node.tools@", "coreutils"),
		one("hosts names a server otherwise", changed("/etc/hosts", "sed -i 's/^10.0.10.10 .*/10.0.10.99 lk_p_b/' /etc/hosts"), back("/etc/hosts"), "node.hosts@", "correct the line"),
		one("the disk is full", "set -- $(df -Pk /var/lib | tail -n 1); fallocate -l $(($4 - 20480))K /var/lib/full", "rm /var/lib/full", "node.space@", "64 MiB"),
		one("hosts fixes the service's name", changed("/etc/hosts", "echo 10.1.0.10 www.example.com www >>/etc/hosts"), back("/etc/hosts"), "node.hosts@", "remove www.example.com"),
		one("mdadm is missing", away("/sbin/mdadm"), back("/sbin/mdadm"), mirror, "mdadm"),
		one("the kernel has no nbd", "rmmod nbd 2>/dev/null; f=$(find /lib/modules -name nbd.ko) && mv $f /root/ && depmod && echo $f >/root/nbd.at", "mv /root/nbd.ko $(cat /root/nbd.at) && depmod && modprobe nbd", mirror, "nbd"),
		one("fstab names the mirror's mount point", "echo '/dev/vdz /pgdata ext4 defaults 0 0' >>/etc/fstab", "sed -i /pgdata/d /etc/fstab", fs, "noauto"),
		one("another program has the database's port", "systemd-run --quiet --unit=lab-squatter nc -lk 5432; until ss -Hlnt | grep -q :5432; do sleep 0.1; done", "systemctl stop lab-squatter", pg, "5432"),
		one("the database starts at boot", "mkdir -p /etc/postgresql/15/main && printf \"data_directory = '/pgdata/15'\\n\" >/etc/postgresql/15/main/postgresql.conf && systemctl enable postgresql@15-main", "", pg, "systemctl disable postgresql@15-main"),
		one("the distribution's nbd-server starts at boot", "rm -f /etc/systemd/system/nbd-server.service; printf '%s\\n' '[Service]' 'ExecStart=/bin/nbd-server' '[Install]' 'WantedBy=multi-user.target' >/usr/lib/systemd/system/nbd-server.service; systemctl daemon-reload; systemctl enable nbd-server", "", "mirror.nbd-at-boot@", "systemctl disable nbd-server"),
		one("an application starts at boot", "systemctl enable batch", "", "app.starts-at-boot@service/batch on ", "systemctl disable batch"),
	)
	out = append(out, on("LK_P_B",
		one("a clone", changed("/etc/machine-id", "echo "+imageID+" >/etc/machine-id"), back("/etc/machine-id"), "same.identity@", "machine-id"),
		one("an address comes up at boot", "mkdir -p /etc/network/interfaces.d && printf 'iface eth0 inet static\\n address 10.1.0.10/32\\n' >/etc/network/interfaces.d/vip", "rm /etc/network/interfaces.d/vip", "kit.ip@service/ip-route53 on ", "interfaces.d/vip"),
		one("the mirror's disk is mounted", "mkfs.ext4 -q "+doctorDisk+" && mount "+doctorDisk+" /mnt && echo '"+doctorDisk+" /mnt ext4 defaults 0 0' >>/etc/fstab", "sed -i /ubdb/d /etc/fstab; umount /mnt && wipefs -qa "+doctorDisk, mirror, "/etc/fstab"),
		one("a module is not loaded", "rmmod nbd", "", "node.modules@", "modprobe -a nbd"),
		one("a script is missing", away(report), back(report), "kit.app@service/report on ", report),
		one("a script cannot be run", "chmod 644 "+report, "chmod 755 "+report, "kit.app@service/report on ", report),
		one("the database's user is missing", changed("/etc/passwd", "sed -i /^postgres:/d /etc/passwd"), back("/etc/passwd"), pg, "postgres"),
	)...)
	out = append(out,
		pair("another program on one server", changed(report, "echo '# mended' >>"+report), back(report), "same.scripts", "copy them"),
		pair("the clock is ahead", "date -s '+20 seconds'\n"+clockHeld, "date -s '-20 seconds'\n"+clockHeld, "same.clock", "chrony"),
		pair("another release", away("/etc/os-release")+"\nsed 's/^VERSION_ID=.*/VERSION_ID=\"11\"/' /usr/lib/os-release >/etc/os-release", back("/etc/os-release"), "same.system", "update"),
		pair("another number of the database's user", changed("/etc/passwd", "sed -i 's/^postgres:x:[0-9]*:/postgres:x:4444:/' /etc/passwd"), back("/etc/passwd"), "same.users", "usermod"),
		pair("pings are not answered", "echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all", "echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_all", "estate.paths", "ICMP"))
	out = append(out, on("VPN_P_A",
		one("sudo is not allowed", away("/etc/sudoers.d/ferry")+strangers, back("/etc/sudoers.d/ferry"), "node.reached@", "sudoers"),
		notForwarding,
		sysctl("redirects are sent", "conf/all/send_redirects", "1", "vpn.redirects"),
		one("everybody reads the keys", "chmod 644 /etc/ipsec.d/lab.secrets", "", "vpn.secrets@", "chmod 600 /etc/ipsec.d/lab.secrets"),
		one("a connection that names no source", "cp -p /etc/ipsec.d/lab.conf /etc/ipsec.d/lab.away; sed -i /leftsourceip/d /etc/ipsec.d/lab.conf", "mv /etc/ipsec.d/lab.away /etc/ipsec.d/lab.conf", "kit.openswan@vpn-primary/openswan-vpn1 on ", "leftsourceip"),
	)...)
	return append(out, on("VPN_S_A",
		one("another host key", "ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/other_key\n"+changed("/etc/ssh/sshd_config", "sed -i 's/^HostKey.*/HostKey \\/etc\\/ssh\\/other_key/' /etc/ssh/sshd_config; systemctl restart ssh")+strangers, back("/etc/ssh/sshd_config")+"; systemctl restart ssh; until ss -Hlnt | grep -q '172.16.0.5:22\\|0.0.0.0:22\\|\\*:22'; do sleep 0.1; done", "node.reached@", "known_hosts"),
		sysctl("strict rp_filter", "conf/all/rp_filter", "1", "vpn.rp-filter"),
		one("a tool by which scripts run is missing", away("/usr/bin/mkfifo"), back("/usr/bin/mkfifo"), "node.reached@", "mkfifo"),
		one("nothing holds the clock", adjtimex(16000000, 64), clockHeld, "node.clock-held@", "chrony"),
		one("the tunnel does not come back after a boot", "systemctl disable ipsec", "", "vpn.starts-at-boot@", "systemctl enable ipsec"),
	)...)
}
