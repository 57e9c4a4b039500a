// Package config turns the definition file, which people write and keep in version
// control, into a hierarchy.Estate, and back.
//
// # The file
//
// TOML. What has a name is a table under that name, so nothing can be there twice:
//
//	[estate]                 name
//	[ssh]                    how nodes are reached: user, port, identity, known_hosts, jump, config
//	[tuning]                 values for all servers
//	[region.NAME]            vpc, cidrs, profile, ec2_endpoint, route53_endpoint, route_tables
//	[server.NAME]            region, zone, address, connect, interface, instance, eni, on_shutdown,
//	                         with .ssh and .tuning for this server alone
//	[cluster.NAME]           servers, quorum_mode, quorum_hosts, allow_automatic_crossing, fencing
//	[[cluster.NAME.path]]    from, to, from_address, to_address, priority, via
//	[cluster.NAME.resource.TAG]
//	                         kit, switchback, needs, on, and the kit's own fields
//	[flag.VIEWER]            PEER = "none", "confirm", "block" or "confirm+block"
//	[notify.NAME]            channel, events, severity, language, timeout, and the channel's own keys
//
// A resource's servers are a list by priority, on = ["A", "B"], or, where a server
// has fields of its own, on.A = { priority = 1, address = "10.1.0.10" }. The kit's
// fields are whatever the kit declares; this package knows no kit by name.
//
// # Errors
//
// Load reports everything that is wrong at once, as *Errors: each problem with
// its line and column, what is wrong, and what to write instead. Nothing unknown is
// passed over: a misspelt key would otherwise be a setting that silently does not
// hold. What hierarchy.Validate and the kits find is shown at the line concerned.
//
// # Writing
//
// Export writes the same definition always as the same bytes, and Load reads back
// exactly what was exported. Comments are not kept. Schema describes the file for
// editors, from the same tables that Load goes by.
package config
