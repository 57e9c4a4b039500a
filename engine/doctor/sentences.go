package doctor

import (
	"maps"
	"strings"
)

// Sentence is what a finding says, and what to do about it; {name} is an argument of its reason.
type Sentence struct {
	Said, Fix string
}

// Sentences is a copy of the list of findings' sentences by the codes of their reasons, in which every other language
// has them, too. A check's findings may say something else beside: then its code is the check's own.
func Sentences() map[string]Sentence { return maps.Clone(sentences) }

// found gives a finding its verdict and one of its check's sentences, with the fix that goes with it. where is an argument
// of every sentence.
func (f *Finding) found(v Verdict, word string, pairs ...string) *Finding {
	code := "doctor." + f.Check + "-" + word
	if strings.Contains(word, ".") { // several checks say it
		code = "doctor." + word
	}
	s := sentences[code]
	pairs = append([]string{"where", f.Where}, pairs...)
	fill := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		fill = append(fill, "{"+pairs[i]+"}", pairs[i+1])
	}
	args := strings.NewReplacer(fill...)
	f.Verdict, f.Reason = v, why(strings.TrimPrefix(code, "doctor."), args.Replace(s.Said), pairs...)
	if f.Fix.Text = args.Replace(s.Fix); s.Fix != "" {
		f.Fix.Code = code
	}
	return f
}

const (
	quorumFix  = "name at least three, in places that fail independently"
	anotherVPC = "give one of the two VPCs another block of addresses"
	lookInside = "log in there and look whether sh, mktemp, mkfifo, flock, setsid, head and base64 are there and /run has space"
)

var sentences = map[string]Sentence{
	"doctor.estate.regions-undescribed": {"region {region} has no VPC or no blocks of addresses in the definition", "write vpc and cidrs of region {region} into the definition"},
	"doctor.estate.regions-overlap":     {"the blocks {block} of {region} and {block2} of {region2} overlap", anotherVPC},
	"doctor.estate.zones-untold":        {"the zone of {node} is not in the definition", "write zone of server {node} into the definition"},
	"doctor.estate.zones-shared":        {"{nodes} are all in zone {zone}", "run one of them in another zone of {region}, in a subnet of its own there"},
	"doctor.estate.virtual-ip-inside":   {"the virtual IP {address} on {node} lies inside {block} of {vpc}", "take an address outside of {block} for it"},
	"doctor.estate.tuning-other":        {"{where} has {have} instead of {want}", "{commands}"},
	"doctor.estate.confirm-open":        {"nobody is asked before {viewer} takes over from {peer} in another region ({n} pairs in all)", "set the flags with ferry server confirm-failover NODE PEER on, and take allow_automatic_crossing out of the cluster"},
	"doctor.estate.confirm-allowed":     {"cluster {where} has allow_automatic_crossing: only the flags keep it from crossing by itself", "take allow_automatic_crossing out of the definition"},
	"doctor.estate.quorum-none":         {"cluster {where} has no quorum hosts: before an automatic move nobody is asked whether the server that takes over is itself cut off", `write quorum_hosts = ["host:port", …] with at least three, in places that fail independently, or quorum_mode = "none" if that is what you want`},
	"doctor.estate.quorum-few":          {"cluster {where} has {n} quorum hosts: a majority of them is lost with one", quorumFix},
	"doctor.estate.tags-address":        {"{where} is named after {address}, but has {n} addresses", "give it a tag without an address when it is created next time, like ip-route53"},
	"doctor.estate.paths-cut":           {"no answer to a ping: {paths}", "let ICMP echo through between them: security groups, network ACLs, the servers' own firewalls, the routes through the tunnel"},
	"doctor.estate.paths-untold":        {"whether servers reach each other is not known: {paths}", ""},

	"doctor.node.reached-denied":       {"{where} lets ferry not in, or not act as root: {error}; nothing else was asked there", "put the host key into known_hosts, the key into authorized_keys, and the lines of ferry doctor sudoers into /etc/sudoers.d/ferry"},
	"doctor.node.reached-mute":         {"{where} could not be asked: its shell ended with {exit} and answered nothing", lookInside},
	"doctor.node.reached-garbled":      {"{where} could not be asked: its answer is not whole and says nothing for sure: {said}", lookInside},
	"doctor.node.reached-silent":       {"{where} could not be asked: {error}", "look whether it runs and can be reached from the engine; ferry server show {where}"},
	"doctor.node.tools-untold":         {"{where} did not say whether it has {tool}", ""},
	"doctor.node.tools-lacks":          {"{where} lacks {tools}", "install the packages that hold them: iproute2 (iproute), iputils-ping (iputils), util-linux, coreutils, grep"},
	"doctor.node.space-untold":         {"{where} did not say how much space /var/lib/ferry has", ""},
	"doctor.node.space-little":         {"the file system of /var/lib/ferry on {where} has {free} KiB free", "free space there; 64 MiB are enough for ferry"},
	"doctor.node.clock-held-loose":     {"nothing holds the clock of {where} right", "install chrony there and start it: systemctl enable --now chrony (chronyd)"},
	"doctor.node.clock-held-untold":    {"{where} cannot tell whether its clock is held right", "look at timedatectl and chronyc tracking there"},
	"doctor.node.hosts-untold":         {"{where} did not say what is in /etc/hosts", ""},
	"doctor.node.hosts-astray":         {"/etc/hosts on {where} says that {server} is {written}, but its address is {address}", "correct the line in /etc/hosts on {where}"},
	"doctor.node.hosts-fixed":          {"/etc/hosts on {where} fixes {name} at {written}; after a move it leads to the wrong place", "remove {name} from /etc/hosts on {where}: Route 53 answers for it"},
	"doctor.node.selinux-untold":       {"{where} did not say whether SELinux enforces", ""},
	"doctor.node.selinux-enforces":     {"SELinux enforces on {where}", "set SELINUX=permissive in /etc/selinux/config and run setenforce 0; or prove with a drill that nothing is refused, and leave the check out with --except node.selinux"},
	"doctor.node.firewall-untold":      {"{where} did not say whether it has a firewall", ""},
	"doctor.node.firewall-mute":        {"{where} runs {firewall}, which does not say what it lets through", "look with firewall-cmd --list-all (ufw status)"},
	"doctor.node.firewall-shut":        {"{firewall} on {where} does not let through {ports}", "open them there, for the estate's servers only: {commands}"},
	"doctor.vpn.forwarding-untold":     {"{where} did not say whether it passes packets on", ""},
	"doctor.vpn.forwarding-off":        {"{where} passes no packets on: net.ipv4.ip_forward is {value}", "switch it on, now and for every boot"},
	"doctor.vpn.rp-filter-untold":      {"{where} did not say how rp_filter is set", ""},
	"doctor.vpn.rp-filter-strict":      {"{where} drops packets whose way back differs: rp_filter is 1 on {device}", "set it to 2 (loose), now and for every boot"},
	"doctor.vpn.redirects-untold":      {"{where} did not say whether it sends and accepts redirects", ""},
	"doctor.vpn.redirects-on":          {"{where} sends or accepts ICMP redirects (send_redirects {send}, accept_redirects {accept})", "switch both off, now and for every boot"},
	"doctor.vpn.starts-at-boot-untold": {"{where} did not say whether the IPsec daemon starts at boot", "systemctl is-enabled ipsec there"},
	"doctor.vpn.starts-at-boot-masked": {"the unit ipsec is masked on {where}, so the tunnel stays down after a boot", "systemctl unmask ipsec && systemctl enable ipsec there"},
	"doctor.vpn.starts-at-boot-off":    {"the IPsec daemon does not start when {where} boots", "enable its unit"},
	"doctor.vpn.secrets-untold":        {"{where} did not say who reads IPsec's keys", ""},
	"doctor.vpn.secrets-open":          {"others than root may read {files} on {where}", "take their rights away"},
	"doctor.app.starts-at-boot-untold": {"{node} did not say whether {unit} starts at boot", ""},
	"doctor.app.starts-at-boot-on":     {"{unit} of {tag} starts by itself when {node} boots", "switch that off; only ferry starts it"},
	"doctor.mirror.nbd-at-boot-untold": {"{where} did not say whether an nbd-server starts at boot", ""},
	"doctor.mirror.nbd-at-boot-on":     {"the nbd-server of the distribution starts when {where} boots", "switch that off; ferry starts a server of its own for each mirror"},
	"doctor.mirror.disks-untold":       {"{node} did not say how large {disk} is", ""},
	"doctor.mirror.disks-small":        {"{disk} on {node} has {size} bytes, fewer than the {least} of the disk on {first}", "take a volume of at least {least} bytes on {node}"},
	"doctor.same.differs":              {"{differences}", ""},
	"doctor.same.untold":               {"not told: {what}", ""},
	"doctor.same.identity-untold":      {"{where} did not say its machine id", ""},
	"doctor.same.identity-clone":       {"{where} has the machine id of {other}: one is a clone of the other", "on {where}: rm /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup; reboot it in good order"},
	"doctor.same.clock-untold":         {"{node} did not say what time it is", ""},
	"doctor.same.clock-apart":          {"the clock of {ahead} is at least {by} ahead of that of {behind}", "start chrony on both, and look which one is off: chronyc tracking"},
}
