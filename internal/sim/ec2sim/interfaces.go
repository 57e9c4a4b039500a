package ec2sim

import (
	"slices"
	"strings"
)

func describeNetworkInterfaces(c *call) ([]element, *apiError) {
	sc, ids := c.view(), c.params.list("NetworkInterfaceId")
	for _, id := range ids {
		if sc.eni(id) == nil {
			return nil, errNoInterface(id)
		}
	}
	var list []Interface
	for _, e := range sc.r.Interfaces {
		if sc.vpcOf(&e) != "" && (len(ids) == 0 || slices.Contains(ids, e.ID)) {
			list = append(list, e)
		}
	}
	list, refused := choose(list, c.params.filters(), sc.interfaceAttributes)
	if refused != nil {
		return nil, refused
	}
	list, next, refused := page(c.params, list, 1000, c.s.opts.PageSize)
	return []element{set("networkInterfaceSet", list, sc.interfaceXML), leaf("nextToken", next)}, c.readOnly(refused)
}

func (sc scope) interfaceAttributes(e Interface) attributes {
	a := attributes{
		"network-interface-id": {e.ID}, "subnet-id": {e.Subnet}, "vpc-id": {sc.vpcOf(&e)}, "owner-id": {sc.account},
		"availability-zone": {sc.subnet(e.Subnet).Zone}, "private-ip-address": {e.PrivateIP}, "status": {interfaceStatus(e)},
		"addresses.private-ip-address": append([]string{e.PrivateIP}, e.SecondaryIPs...), "attachment.instance-id": nil,
		"source-dest-check": {leaf("", e.SourceDestCheck).text}, "description": {e.Name},
	}
	a.add("attachment.instance-id", e.Instance)
	return a.nameTag(e.Name)
}

func interfaceStatus(e Interface) string {
	if e.Instance == "" {
		return "available"
	}
	return "in-use"
}

func (sc scope) interfaceXML(e Interface) []element {
	out := []element{
		leaf("networkInterfaceId", e.ID), leaf("subnetId", e.Subnet), leaf("vpcId", sc.vpcOf(&e)), leaf("ownerId", sc.account),
		leaf("availabilityZone", sc.subnet(e.Subnet).Zone), leaf("description", e.Name), leaf("status", interfaceStatus(e)),
		leaf("privateIpAddress", e.PrivateIP), leaf("sourceDestCheck", e.SourceDestCheck), leaf("interfaceType", "interface"),
		leaf("requesterManaged", false), set("groupSet", sc.groupsOf(e), groupNameXML), nameTags(e.Name), sc.privateAddressesXML(e),
	}
	if e.Instance != "" {
		out = append(out, branch("attachment", leaf("attachmentId", attachmentID(e)), leaf("instanceId", e.Instance),
			leaf("instanceOwnerId", sc.account), leaf("deviceIndex", e.DeviceIndex), leaf("status", "attached"), leaf("deleteOnTermination", e.DeviceIndex == 0)))
	}
	return append(out, sc.associationXML(e, e.PrivateIP)...)
}

func attachmentID(e Interface) string { return "eni-attach-" + strings.TrimPrefix(e.ID, "eni-") }

func (sc scope) privateAddressesXML(e Interface) element {
	return set("privateIpAddressesSet", append([]string{e.PrivateIP}, e.SecondaryIPs...), func(ip string) []element {
		return append([]element{leaf("privateIpAddress", ip), leaf("primary", ip == e.PrivateIP)}, sc.associationXML(e, ip)...)
	})
}

// associationXML shows the Elastic IP on one private address of an interface.
func (sc scope) associationXML(e Interface, ip string) []element {
	a := find(sc.r.Addresses, func(a *Address) bool { return a.Interface == e.ID && a.PrivateIP == ip })
	if a == nil {
		return nil
	}
	return []element{branch("association", leaf("publicIp", a.PublicIP), leaf("ipOwnerId", a.Owner),
		leaf("allocationId", a.AllocationID), leaf("associationId", a.Association))}
}

func (sc scope) publicIP(e *Interface, ip string) string {
	a := find(sc.r.Addresses, func(a *Address) bool { return a.Interface == e.ID && a.PrivateIP == ip })
	if a == nil {
		return ""
	}
	return a.PublicIP
}

func describeNetworkInterfaceAttribute(c *call) ([]element, *apiError) {
	id, refused := c.params.need("NetworkInterfaceId")
	if refused != nil {
		return nil, refused
	}
	sc := c.view()
	e := sc.eni(id)
	if e == nil {
		return nil, errNoInterface(id)
	}
	var attribute element
	switch name := c.params.get("Attribute"); name {
	case "sourceDestCheck":
		attribute = branch("sourceDestCheck", leaf("value", e.SourceDestCheck))
	case "description":
		attribute = branch("description", leaf("value", e.Name))
	case "":
		return nil, missing("attribute")
	default:
		return nil, invalidValue("attribute", name, "The simulated endpoint knows sourceDestCheck and description.")
	}
	return []element{leaf("networkInterfaceId", id), attribute}, c.readOnly(nil)
}

func modifyNetworkInterfaceAttribute(c *call) ([]element, *apiError) {
	id, refused := c.params.need("NetworkInterfaceId")
	if refused != nil {
		return nil, refused
	}
	if !c.params.has("SourceDestCheck.Value") {
		return nil, refuse("InvalidParameterCombination", "No attributes specified.")
	}
	return done(), c.change(func(sc scope) ([]Event, *apiError) {
		e := sc.eni(id)
		if e == nil {
			return nil, errNoInterface(id)
		}
		return setCheck(e, c.params.on("SourceDestCheck.Value")), nil
	})
}

// modifyInstanceAttribute changes the one setting that the instance shares with its only interface.
func modifyInstanceAttribute(c *call) ([]element, *apiError) {
	id, refused := c.params.need("InstanceId")
	if refused != nil {
		return nil, refused
	}
	if !c.params.has("SourceDestCheck.Value") {
		return nil, refuse("InvalidParameterCombination", "No attributes specified.")
	}
	return done(), c.change(func(sc scope) ([]Event, *apiError) {
		eni, refused := sc.targetInterface("", id)
		if refused != nil {
			return nil, refused
		}
		return setCheck(eni, c.params.on("SourceDestCheck.Value")), nil
	})
}

func setCheck(e *Interface, on bool) []Event {
	if e.SourceDestCheck == on {
		return nil
	}
	e.SourceDestCheck = on
	return []Event{{Kind: CheckChanged, Subject: e.ID, From: leaf("", !on).text, To: leaf("", on).text}}
}
