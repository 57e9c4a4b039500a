package doctor

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// IAMPolicy is the least that the engine's role or user must be allowed for this estate, as the JSON document that AWS
// takes. Describe actions know no resources; changes are bound to the estate's regions.
func IAMPolicy(x *hierarchy.Index) ([]byte, error) {
	type condition map[string]map[string][]string
	type statement struct {
		Sid       string
		Effect    string
		Action    []string
		Resource  []string
		Condition condition `json:",omitempty"`
	}
	var regions []string
	for _, r := range x.Estate().Regions {
		regions = append(regions, r.Name)
	}
	slices.Sort(regions)
	here := condition{"StringEquals": {"aws:RequestedRegion": regions}}
	doc := struct {
		Version   string
		Statement []statement
	}{Version: "2012-10-17", Statement: []statement{}}
	p := "arn:" + partition(regions) + ":"
	add := func(sid string, actions, on []string, c condition) {
		if len(actions) > 0 {
			doc.Statement = append(doc.Statement, statement{sid, "Allow", actions, on, c})
		}
	}
	reads, changes := actionsOf(x)
	add("FerryLooks", reads, []string{"*"}, here)
	add("FerryMovesRoutes", changes.routes, arns(p+"ec2:*:*:route-table/*", tables(x, p)), here)
	add("FerryMovesAddresses", changes.addresses, []string{p + "ec2:*:*:elastic-ip/*", p + "ec2:*:*:network-interface/*", p + "ec2:*:*:instance/*"}, here)
	add("FerryFences", changes.fences, instances(x, p), here)
	add("FerryDoctorMends", changes.mends, interfaces(x, p), here)
	if len(resources(x, "route53")) > 0 {
		add("FerryListsZones", []string{"route53:ListHostedZones", "route53:ListHostedZonesByName"}, []string{"*"}, nil)
		add("FerryChangesNames", []string{"route53:ChangeResourceRecordSets", "route53:GetHostedZone", "route53:ListResourceRecordSets"}, zoneARNs(x, p), nil)
		add("FerryAwaitsChanges", []string{"route53:GetChange"}, []string{p + "route53:::change/*"}, nil)
	}
	return json.MarshalIndent(doc, "", "  ")
}

type changeActions struct{ routes, addresses, fences, mends []string }

// actionsOf are the EC2 actions that the estate uses.
func actionsOf(x *hierarchy.Index) (reads []string, c changeActions) {
	inCloud := slices.ContainsFunc(x.Estate().Regions, func(r hierarchy.Region) bool { return InCloud(x, r.Name) })
	fenced := slices.ContainsFunc(x.Estate().Cluster, func(cl hierarchy.Cluster) bool { return cl.Fencing != "" })
	instances := slices.ContainsFunc(x.Estate().Servers, func(s hierarchy.Server) bool { return s.Instance != "" })
	if len(resources(x, "ec2")) == 0 && !fenced && !instances {
		return nil, c
	}
	if instances {
		reads = append(reads, "ec2:DescribeInstanceStatus")
	}
	if inCloud {
		for _, a := range describes {
			reads = append(reads, "ec2:"+a)
		}
	}
	for _, r := range resources(x, "ec2") {
		if len(r.On) > 0 && isAddress(x, r) {
			reads = append(reads, "ec2:DescribeAddresses", "ec2:DescribeNetworkInterfaces")
			c.addresses = []string{"ec2:AssociateAddress"}
			continue
		}
		reads = append(reads, "ec2:DescribeRouteTables", "ec2:DescribeNetworkInterfaces")
		c.routes = []string{"ec2:CreateRoute", "ec2:ReplaceRoute"}
		c.mends = []string{"ec2:ModifyNetworkInterfaceAttribute"}
	}
	if fenced {
		c.fences = []string{"ec2:StopInstances"}
	}
	slices.Sort(reads)
	return slices.Compact(reads), c
}

// partition is the first word of AWS's names in these regions.
func partition(regions []string) string {
	for _, r := range regions {
		switch {
		case strings.HasPrefix(r, "cn-"):
			return "aws-cn"
		case strings.HasPrefix(r, "us-gov-"):
			return "aws-us-gov"
		}
	}
	return "aws"
}

func arns(all string, ids []string) []string {
	if len(ids) == 0 {
		return []string{all}
	}
	return ids
}

// tables are the route tables by name, where every region names its own; else any table may hold a destination.
func tables(x *hierarchy.Index, p string) []string {
	var out []string
	for _, r := range x.Estate().Regions {
		if len(r.RouteTables) == 0 {
			return nil
		}
		for _, t := range r.RouteTables {
			out = append(out, p+"ec2:"+r.Name+":*:route-table/"+t)
		}
	}
	return out
}

func instances(x *hierarchy.Index, p string) []string {
	var out []string
	for _, s := range x.Estate().Servers {
		if cl := x.ClusterOf(s.Name); s.Instance != "" && cl != nil && cl.Fencing != "" {
			out = append(out, p+"ec2:"+s.Region+":*:instance/"+s.Instance)
		}
	}
	return out
}

func interfaces(x *hierarchy.Index, p string) []string {
	var out []string
	for _, s := range x.Estate().Servers {
		if s.ENI != "" && uses(x, s.Name, "ec2") {
			out = append(out, p+"ec2:"+s.Region+":*:network-interface/"+s.ENI)
		}
	}
	return out
}

// zoneARNs are the zones by id, where the definition says it; else any zone of the account.
func zoneARNs(x *hierarchy.Index, p string) (out []string) {
	for _, r := range resources(x, "route53") {
		_, id := zoneField(r.Attrs["zone"])
		if id == "" {
			return []string{p + "route53:::hostedzone/*"}
		}
		if arn := p + "route53:::hostedzone/" + id; !slices.Contains(out, arn) {
			out = append(out, arn)
		}
	}
	return out
}

// Sudoers is what a node needs for a login that is not root: a file for /etc/sudoers.d. It allows the one command that ferry
// opens; scripts come through that shell, so there is no narrower rule that would keep them apart.
func Sudoers(user string) string {
	return "# /etc/sudoers.d/ferry, mode 0440; check it with: visudo -c -f /etc/sudoers.d/ferry\n" +
		"# " + user + " logs in by key and opens one shell as root. Whoever has that key is root here:\n" +
		"# restrict it in authorized_keys to where the engine runs, with from=\"ADDRESS\".\n" +
		"Defaults:" + user + " !requiretty\n" +
		user + " ALL=(root) NOPASSWD: /bin/sh -s ferry-shell-1\n"
}

// Logins are the users as whom the estate's servers are reached, root left out; each once.
func Logins(x *hierarchy.Index) []string {
	var out []string
	for _, s := range x.Estate().Servers {
		user := s.SSH.User
		if user == "" {
			user = x.Estate().SSH.User
		}
		if user != "" && user != "root" && !slices.Contains(out, user) {
			out = append(out, user)
		}
	}
	slices.Sort(out)
	return out
}
