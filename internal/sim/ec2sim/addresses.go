package ec2sim

import (
	"fmt"
	"slices"
)

func errNoAllocation(id string) *apiError {
	return refuse("InvalidAllocationID.NotFound", "The allocation ID '%s' does not exist", id)
}

func describeAddresses(c *call) ([]element, *apiError) {
	sc, ids, ips := c.view(), c.params.list("AllocationId"), c.params.list("PublicIp")
	for _, id := range ids {
		if sc.address(id, "") == nil {
			return nil, errNoAllocation(id)
		}
	}
	for _, ip := range ips {
		if sc.address("", ip) == nil {
			return nil, refuse("InvalidAddress.NotFound", "Address '%s' not found.", ip)
		}
	}
	list := slices.DeleteFunc(slices.Clone(sc.r.Addresses), func(a Address) bool {
		return a.Owner != sc.account || len(ids) > 0 && !slices.Contains(ids, a.AllocationID) || len(ips) > 0 && !slices.Contains(ips, a.PublicIP)
	})
	list, refused := choose(list, c.params.filters(), func(a Address) attributes {
		out := attributes{"allocation-id": {a.AllocationID}, "public-ip": {a.PublicIP}, "domain": {"vpc"},
			"association-id": nil, "network-interface-id": nil, "private-ip-address": nil, "instance-id": nil}
		out.add("association-id", a.Association)
		out.add("network-interface-id", a.Interface)
		out.add("private-ip-address", a.PrivateIP)
		out.add("instance-id", sc.instanceOf(a))
		return out.nameTag(a.Name)
	})
	return []element{set("addressesSet", list, sc.addressXML)}, c.readOnly(refused)
}

func (sc scope) instanceOf(a Address) string {
	if eni := sc.eni(a.Interface); eni != nil {
		return eni.Instance
	}
	return ""
}

func (sc scope) addressXML(a Address) []element {
	out := []element{
		leaf("publicIp", a.PublicIP), leaf("allocationId", a.AllocationID), leaf("domain", "vpc"), leaf("networkBorderGroup", sc.r.Name),
		leaf("publicIpv4Pool", "amazon"), nameTags(a.Name), leaf("associationId", a.Association), leaf("networkInterfaceId", a.Interface),
		leaf("instanceId", sc.instanceOf(a)), leaf("privateIpAddress", a.PrivateIP),
	}
	if a.Interface != "" {
		out = append(out, leaf("networkInterfaceOwnerId", sc.account))
	}
	return out
}

func allocateAddress(c *call) ([]element, *apiError) {
	var made Address
	refused := c.change(func(sc scope) ([]Event, *apiError) {
		if len(sc.r.Addresses) >= 5 { // EC2's default quota per region
			return nil, refuse("AddressLimitExceeded", "The maximum number of addresses has been reached.")
		}
		c.s.made++
		made = Address{AllocationID: fmt.Sprintf("eipalloc-%017x", c.s.made), PublicIP: fmt.Sprintf("198.51.100.%d", c.s.made%254+1), Owner: sc.account}
		sc.r.Addresses = append(sc.r.Addresses, made)
		return nil, nil
	})
	return []element{
		leaf("publicIp", made.PublicIP), leaf("allocationId", made.AllocationID), leaf("domain", "vpc"),
		leaf("publicIpv4Pool", "amazon"), leaf("networkBorderGroup", c.region),
	}, refused
}

func releaseAddress(c *call) ([]element, *apiError) {
	id, refused := c.params.need("AllocationId")
	if refused != nil {
		return nil, refused
	}
	return done(), c.change(func(sc scope) ([]Event, *apiError) {
		a := sc.address(id, "")
		switch {
		case a == nil:
			return nil, errNoAllocation(id)
		case a.Association != "":
			return nil, refuse("InvalidIPAddress.InUse", "Address %s is in use.", a.PublicIP)
		}
		sc.r.Addresses = slices.DeleteFunc(sc.r.Addresses, func(a Address) bool { return a.AllocationID == id })
		return nil, nil
	})
}

func associateAddress(c *call) ([]element, *apiError) {
	var association string
	refused := c.change(func(sc scope) ([]Event, *apiError) {
		a, eni, ip, refused := c.wantedAssociation(sc)
		if refused != nil {
			return nil, refused
		}
		if a.Interface == eni.ID && a.PrivateIP == ip { // asked for what is so already: the answer is the same again
			association = a.Association
			return nil, nil
		}
		other := find(sc.r.Addresses, func(o *Address) bool { return o.Interface == eni.ID && o.PrivateIP == ip })
		// In a VPC-only account, as all are today, reassociation is automatic; false asks for the refusal.
		if (a.Association != "" || other != nil) && c.params.has("AllowReassociation") && !c.params.on("AllowReassociation") {
			return nil, refuse("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", a.AllocationID, a.Association)
		}
		if other != nil {
			other.Association, other.Interface, other.PrivateIP = "", "", ""
		}
		c.s.made++
		from := a.Interface
		a.Association, a.Interface, a.PrivateIP = fmt.Sprintf("eipassoc-%017x", c.s.made), eni.ID, ip
		association = a.Association
		return []Event{{Kind: AddressChanged, Subject: a.AllocationID, Destination: a.PublicIP, From: from, To: eni.ID}}, nil
	})
	return append(done(), leaf("associationId", association)), refused
}

// wantedAssociation reads which address shall go to which private address of which interface.
func (c *call) wantedAssociation(sc scope) (*Address, *Interface, string, *apiError) {
	allocation, public := c.params.get("AllocationId"), c.params.get("PublicIp")
	a := sc.address(allocation, public)
	switch {
	case allocation == "" && public == "":
		return nil, nil, "", missing("allocationId")
	case a == nil && allocation != "":
		return nil, nil, "", errNoAllocation(allocation)
	case a == nil:
		return nil, nil, "", refuse("InvalidAddress.NotFound", "Address '%s' not found.", public)
	}
	id, instance := c.params.get("NetworkInterfaceId"), c.params.get("InstanceId")
	if id == "" && instance == "" {
		return nil, nil, "", missing("instanceId or networkInterfaceId")
	}
	eni, refused := sc.targetInterface(id, instance)
	if refused != nil {
		return nil, nil, "", refused
	}
	ip := c.params.get("PrivateIpAddress")
	if ip == "" {
		ip = eni.PrivateIP
	}
	if ip != eni.PrivateIP && !slices.Contains(eni.SecondaryIPs, ip) {
		return nil, nil, "", invalidValue("privateIpAddress", ip, "It is not an address of "+eni.ID+".")
	}
	return a, eni, ip, nil
}

func disassociateAddress(c *call) ([]element, *apiError) {
	id, refused := c.params.need("AssociationId")
	if refused != nil {
		return nil, refused
	}
	return done(), c.change(func(sc scope) ([]Event, *apiError) {
		a := find(sc.r.Addresses, func(a *Address) bool { return a.Association == id && a.Owner == sc.account })
		if a == nil {
			return nil, refuse("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", id)
		}
		e := Event{Kind: AddressChanged, Subject: a.AllocationID, Destination: a.PublicIP, From: a.Interface}
		a.Association, a.Interface, a.PrivateIP = "", "", ""
		return []Event{e}, nil
	})
}
