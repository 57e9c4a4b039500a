package ec2sim

import (
	"slices"
	"strings"
	"time"
)

func describeInstances(c *call) ([]element, *apiError) {
	ids := c.params.list("InstanceId")
	if len(ids) > 0 && c.params.has("MaxResults") {
		return nil, refuse("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
	}
	sc := c.view()
	list, refused := sc.pickInstances(ids)
	if refused == nil {
		list, refused = choose(list, c.params.filters(), sc.instanceAttributes)
	}
	if refused != nil {
		return nil, refused
	}
	list, next, refused := page(c.params, list, 1000, c.s.opts.PageSize)
	reservations := set("reservationSet", list, func(i Instance) []element {
		return []element{
			leaf("reservationId", "r-"+strings.TrimPrefix(i.ID, "i-")), leaf("ownerId", sc.account), branch("groupSet"),
			set("instancesSet", []Instance{i}, sc.instanceXML),
		}
	})
	return []element{reservations, leaf("nextToken", next)}, c.readOnly(refused)
}

func (sc scope) pickInstances(ids []string) ([]Instance, *apiError) {
	for _, id := range ids {
		if !strings.HasPrefix(id, "i-") {
			return nil, refuse("InvalidInstanceID.Malformed", "Invalid id: \"%s\" (expecting \"i-...\")", id)
		}
		if sc.instance(id) == nil {
			return nil, errNoInstance(id)
		}
	}
	var out []Instance
	for _, i := range sc.r.Instances {
		if sc.ownsInstance(&i) && (len(ids) == 0 || slices.Contains(ids, i.ID)) {
			out = append(out, i)
		}
	}
	return out, nil
}

func (sc scope) instanceAttributes(i Instance) attributes {
	a := attributes{
		"instance-id": {i.ID}, "instance-state-name": {string(i.State)}, "instance-type": {i.Type}, "owner-id": {sc.account},
		"vpc-id": nil, "subnet-id": nil, "availability-zone": nil, "private-ip-address": nil, "ip-address": nil,
		"network-interface.network-interface-id": nil, "network-interface.addresses.private-ip-address": nil,
	}
	for n, e := range sc.enisOf(i.ID) {
		a.add("network-interface.network-interface-id", e.ID)
		for _, ip := range append([]string{e.PrivateIP}, e.SecondaryIPs...) {
			a.add("network-interface.addresses.private-ip-address", ip)
		}
		if s := sc.subnet(e.Subnet); n == 0 && s != nil {
			a.add("vpc-id", s.VPC)
			a.add("subnet-id", s.ID)
			a.add("availability-zone", s.Zone)
			a.add("private-ip-address", e.PrivateIP)
			a.add("ip-address", sc.publicIP(e, e.PrivateIP))
		}
	}
	return a.nameTag(i.Name)
}

func (sc scope) instanceXML(i Instance) []element {
	enis := sc.enisOf(i.ID)
	out := []element{
		leaf("instanceId", i.ID), leaf("instanceType", i.Type), branch("instanceState", stateXML(i.State)...),
		leaf("launchTime", stamp(i.Launched)), leaf("architecture", "x86_64"), leaf("virtualizationType", "hvm"),
		branch("monitoring", leaf("state", "disabled")), nameTags(i.Name), branch("groupSet"),
		set("networkInterfaceSet", enis, sc.attachedXML),
	}
	if len(enis) == 0 {
		return out
	}
	primary, s := enis[0], sc.subnet(enis[0].Subnet)
	return append(out,
		leaf("vpcId", s.VPC), leaf("subnetId", s.ID), branch("placement", leaf("availabilityZone", s.Zone), leaf("tenancy", "default")),
		leaf("privateIpAddress", primary.PrivateIP), leaf("ipAddress", sc.publicIP(primary, primary.PrivateIP)),
		leaf("sourceDestCheck", primary.SourceDestCheck))
}

// attachedXML is an interface as DescribeInstances shows it.
func (sc scope) attachedXML(e *Interface) []element {
	return []element{
		leaf("networkInterfaceId", e.ID), leaf("subnetId", e.Subnet), leaf("vpcId", sc.vpcOf(e)), leaf("ownerId", sc.account),
		leaf("status", "in-use"), leaf("privateIpAddress", e.PrivateIP), leaf("sourceDestCheck", e.SourceDestCheck),
		branch("attachment", leaf("attachmentId", attachmentID(*e)), leaf("deviceIndex", e.DeviceIndex), leaf("status", "attached")),
		sc.privateAddressesXML(*e), leaf("interfaceType", "interface"),
	}
}

func stateXML(s State) []element { return []element{leaf("code", s.Code()), leaf("name", string(s))} }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func describeInstanceStatus(c *call) ([]element, *apiError) {
	sc := c.view()
	list, refused := sc.pickInstances(c.params.list("InstanceId"))
	if refused != nil {
		return nil, refused
	}
	if !c.params.on("IncludeAllInstances") {
		list = slices.DeleteFunc(list, func(i Instance) bool { return i.State != Running })
	}
	checks := func(i Instance) (system, instance string) { return c.s.checks(i, c.at) }
	list, refused = choose(list, c.params.filters(), func(i Instance) attributes {
		system, instance := checks(i)
		return attributes{
			"instance-state-name": {string(i.State)}, "system-status.status": {system}, "instance-status.status": {instance},
			"availability-zone": sc.instanceAttributes(i)["availability-zone"],
		}
	})
	if refused != nil {
		return nil, refused
	}
	list, next, refused := page(c.params, list, 1000, c.s.opts.PageSize)
	statuses := set("instanceStatusSet", list, func(i Instance) []element {
		system, instance := checks(i)
		zone := strings.Join(sc.instanceAttributes(i)["availability-zone"], "")
		return []element{
			leaf("instanceId", i.ID), leaf("availabilityZone", zone), branch("instanceState", stateXML(i.State)...),
			branch("systemStatus", statusXML(system)...), branch("instanceStatus", statusXML(instance)...),
		}
	})
	return []element{statuses, leaf("nextToken", next)}, c.readOnly(refused)
}

// checks are the two status checks as EC2 shows them at a moment.
func (s *Server) checks(i Instance, now time.Time) (system, instance string) {
	if i.State != Running {
		return "not-applicable", "not-applicable"
	}
	s.mu.Lock()
	initializing := now.Before(i.Launched.Add(s.opts.Timings.Start + s.opts.Timings.Checks))
	s.mu.Unlock()
	if initializing {
		return "initializing", "initializing"
	}
	return orOK(i.SystemStatus), orOK(i.InstanceStatus)
}

func orOK(status string) string {
	if status == "" {
		return "ok"
	}
	return status
}

func statusXML(status string) []element {
	detail := map[string]string{"ok": "passed", "impaired": "failed"}[status]
	if detail == "" {
		return []element{leaf("status", status)}
	}
	return []element{leaf("status", status), branch("details", branch("item", leaf("name", "reachability"), leaf("status", detail)))}
}
