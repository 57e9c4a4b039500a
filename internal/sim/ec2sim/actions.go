package ec2sim

// action carries out one call and gives back the answer's body.
type action func(*call) ([]element, *apiError)

// actions are the calls the endpoint knows, by the name of the Action parameter.
func actions() map[string]action {
	return map[string]action{
		"DescribeRouteTables":               describeRouteTables,
		"CreateRoute":                       createRoute,
		"ReplaceRoute":                      replaceRoute,
		"DeleteRoute":                       deleteRoute,
		"DescribeInstances":                 describeInstances,
		"DescribeInstanceStatus":            describeInstanceStatus,
		"StopInstances":                     stopInstances,
		"StartInstances":                    startInstances,
		"DescribeNetworkInterfaces":         describeNetworkInterfaces,
		"DescribeNetworkInterfaceAttribute": describeNetworkInterfaceAttribute,
		"ModifyNetworkInterfaceAttribute":   modifyNetworkInterfaceAttribute,
		"ModifyInstanceAttribute":           modifyInstanceAttribute,
		"DescribeVpcs":                      describeVPCs,
		"DescribeSubnets":                   describeSubnets,
		"DescribeSecurityGroups":            describeSecurityGroups,
		"DescribeNetworkAcls":               describeNetworkACLs,
		"DescribeAddresses":                 describeAddresses,
		"AllocateAddress":                   allocateAddress,
		"ReleaseAddress":                    releaseAddress,
		"AssociateAddress":                  associateAddress,
		"DisassociateAddress":               disassociateAddress,
		"GetCallerIdentity":                 getCallerIdentity,
	}
}
