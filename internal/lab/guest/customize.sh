#!/bin/sh
# customize.sh ROOT MODULES: makes a Debian tree into a guest: kernel modules, sshd, the user ferry, and a boot
# that starts little beside sshd. Everything that differs between guests comes later, from the seed disk.
set -eu
root=$1 modules=$2 kernel=${2##*/}
units=$root/etc/systemd/system

modules() {
  mkdir -p "$root/lib/modules/$kernel"
  ( cd "$modules"
    cp -a modules.builtin modules.builtin.modinfo modules.order "$root/lib/modules/$kernel/" 2>/dev/null || true
    # What a cluster node may need: network, crypto for IPsec, md, nbd, drbd, file systems. No hardware.
    for d in crypto lib net drivers/md drivers/block drivers/net fs/xfs fs/ext4 fs/fuse fs/overlayfs arch; do
      if [ -d "kernel/$d" ]; then
        mkdir -p "$root/lib/modules/$kernel/kernel/$d"
        cp -a "kernel/$d/." "$root/lib/modules/$kernel/kernel/$d/"
      fi
    done
    cd "$root/lib/modules/$kernel/kernel"
    rm -rf net/*lowpan net/ieee802154 net/mac802154 net/caif net/dccp net/rds net/rxrpc net/phonet net/kcm net/mpls net/nsh net/x25 net/lapb \
      net/atm net/appletalk net/ax25 net/bluetooth net/can net/wireless net/mac80211 net/nfc net/ceph net/9p net/sctp net/tipc net/batman-adv net/openvswitch )
  chroot "$root" depmod "$kernel"
}

# Nothing is wanted at boot that a cluster node in the lab does not use: each unit costs a guest time,
# and four guests share two cores.
quiet_boot() {
  for u in getty.target getty@tty1.service console-getty.service serial-getty@.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer logrotate.timer \
    e2scrub_reap.service systemd-pstore.service cron.service nftables.service \
    systemd-udevd.service systemd-udev-trigger.service systemd-udevd-kernel.socket systemd-udevd-control.socket \
    systemd-networkd.service systemd-networkd.socket systemd-network-generator.service systemd-resolved.service \
    systemd-timesyncd.service systemd-logind.service systemd-user-sessions.service \
    systemd-random-seed.service systemd-binfmt.service systemd-sysctl.service systemd-sysusers.service systemd-firstboot.service \
    systemd-machine-id-commit.service systemd-journal-flush.service systemd-journal-catalog-update.service systemd-update-done.service \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-hwdb-update.service systemd-boot-system-token.service \
    systemd-modules-load.service modprobe@.service kmod-static-nodes.service systemd-tmpfiles-setup-dev.service \
    systemd-remount-fs.service systemd-fsck-root.service systemd-quotacheck.service ldconfig.service \
    systemd-ask-password-console.path systemd-ask-password-wall.path systemd-tmpfiles-clean.timer \
    sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount dev-hugepages.mount dev-mqueue.mount \
    proc-sys-fs-binfmt_misc.automount \
    mdadm-shutdown.service mdmonitor.service mdmonitor-oneshot.timer mdcheck_start.timer mdcheck_continue.timer \
    nbd-server.service nbd-client.service postgresql.service; do
    ln -sf /dev/null "$units/$u"
  done
  for u in systemd-journald-audit.socket systemd-initctl.socket systemd-repart.service; do
    ln -sf /dev/null "$units/$u"
  done
  # Each generator is a process at every boot and daemon-reload, together two seconds; none finds anything here.
  mkdir -p "$root/etc/systemd/system-generators" "$root/etc/tmpfiles.d"
  for g in "$root"/lib/systemd/system-generators/*; do
    ln -sf /dev/null "$root/etc/systemd/system-generators/${g##*/}"
  done
  for t in debian home journal-nocow legacy passwd provision systemd-network systemd-nologin systemd-pstore systemd-tmp var x11 tmp; do
    ln -sf /dev/null "$root/etc/tmpfiles.d/$t.conf"
  done
  rm -f "$root"/etc/init.d/*
  ln -sf /lib/systemd/system/multi-user.target "$units/default.target"
  mkdir -p "$root/etc/systemd/journald.conf.d" "$root/etc/systemd/system.conf.d"
  printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=8M\n' >"$root/etc/systemd/journald.conf.d/lab.conf"
  printf '[Manager]\nShowStatus=no\nDefaultTimeoutStopSec=10s\n' >"$root/etc/systemd/system.conf.d/lab.conf"
  echo 5f1e7a6c0d2b4c8e9a3f0b1d2c4e6f80 >"$root/etc/machine-id"
}

# The seed disk carries host name, addresses and keys; it is unpacked before anything listens.
seed_unit() {
  cat >"$root/sbin/labseed" <<'S'
#!/bin/sh
set -e
tar -xf /dev/ubdc -C /
. /etc/lab/up.sh
S
  chmod 755 "$root/sbin/labseed"
  cat >"$units/labseed.service" <<'S'
[Unit]
Description=Name, addresses and keys of this lab guest
DefaultDependencies=no
Before=sysinit.target network.target ssh.service
[Service]
Type=oneshot
RemainAfterExit=yes
StandardError=journal+console
ExecStart=/sbin/labseed
[Install]
WantedBy=sysinit.target
S
  mkdir -p "$units/sysinit.target.wants"
  ln -sf ../labseed.service "$units/sysinit.target.wants/labseed.service"
}

# The harness has an sshd of its own, on the management network only: it still answers when a test stops the node's.
management_unit() {
  mkdir -p "$units/multi-user.target.wants" "$units/ssh.service.d"
  cat >"$units/labsshd.service" <<'S'
[Unit]
Description=Management access of the lab
After=labseed.service
[Service]
RuntimeDirectory=sshd
RuntimeDirectoryPreserve=yes
ExecStart=/usr/sbin/sshd -D -f /etc/lab/sshd_config
Restart=always
[Install]
WantedBy=multi-user.target
S
  # Both daemons need /run/sshd; the end of one must not take it from the other.
  printf '[Service]\nRuntimeDirectoryPreserve=yes\n' >"$units/ssh.service.d/lab.conf"
  ln -sf ../labsshd.service "$units/multi-user.target.wants/labsshd.service"
}

people() {
  chroot "$root" useradd --uid 1000 --create-home --shell /bin/sh ferry
  # "*" is "no password"; the "!" of useradd is "locked", which sshd refuses even with a key.
  chroot "$root" usermod --password '*' ferry
  chroot "$root" usermod --shell /bin/sh root # bash would cost each script a second process start
  # A PAM session costs sudo 0.7 s here, where starting a process takes 25 ms; on real machines neither is felt.
  printf '%s\n' 'ferry ALL=(ALL) NOPASSWD: ALL' 'Defaults !pam_session, !pam_setcred' >"$root/etc/sudoers.d/ferry"
  chmod 440 "$root/etc/sudoers.d/ferry"
  mkdir -p "$root/root/.ssh" && chmod 700 "$root/root/.ssh"
  rm -f "$root"/etc/ssh/ssh_host_*
  cat >"$root/etc/ssh/sshd_config" <<'S'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
MaxStartups 100
MaxSessions 100
AcceptEnv LANG LC_*
Subsystem sftp /usr/lib/openssh/sftp-server
S
}

# IPsec runs where the seed disk says so. What a test changes is put back from the copies.
ipsec() {
  rm -f "$units/multi-user.target.wants/ipsec.service"
  chroot "$root" ipsec initnss >/dev/null
  # The distribution's way of loading modules starts a hundred processes, which takes a guest two seconds and more.
  mkdir -p "$units/ipsec.service.d"
  cat >"$units/ipsec.service.d/lab.conf" <<'S'
[Service]
ExecStartPre=
ExecStartPre=/usr/libexec/ipsec/addconn --config /etc/ipsec.conf --checkconfig
ExecStartPre=/sbin/modprobe --quiet --all xfrm_user esp4
ExecStopPost=
ExecStopPost=/bin/sh -c 'test "$EXIT_STATUS" = 12 || { ip xfrm policy flush; ip xfrm state flush; }'
S
  mkdir -p "$root/usr/share/lab"
  cp "$root/etc/ipsec.conf" "$root/etc/ipsec.secrets" "$root/usr/share/lab/"
}

trim() {
  printf 'proc /proc proc defaults 0 0\n' >"$root/etc/fstab"
  if [ -d "$root/etc/mdadm" ]; then # arrays are assembled on command only
    printf 'AUTO -all\nHOMEHOST <ignore>\nMAILADDR root\n' >"$root/etc/mdadm/mdadm.conf"
  fi
  rm -rf "$root"/usr/share/man/* "$root"/usr/share/doc/* "$root"/usr/share/locale/* \
    "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*.log
}

modules
quiet_boot
seed_unit
management_unit
people
ipsec
trim
