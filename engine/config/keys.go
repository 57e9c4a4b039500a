package config

import "github.com/ferry-ha/ferry/engine/hierarchy"

// kind is what a key's value looks like in TOML.
type kind string

const (
	kText   kind = "text"
	kWord   kind = "word" // one of words
	kNumber kind = "number"
	kYesNo  kind = "yes or no"
	kList   kind = "list" // of texts
	kTable  kind = "table"
	kTables kind = "tables" // array of tables
)

// key is one key of a table, for reading, for the schema and for messages.
type key struct {
	name  string
	kind  kind
	words []string
	help  string
}

func topKeys() []key {
	return []key{
		{name: "estate", kind: kTable, help: "what this definition is about"},
		{name: "ssh", kind: kTable, help: "how nodes are reached"},
		{name: "tuning", kind: kTable, help: "tuning values for all servers"},
		{name: "region", kind: kTable, help: "regions by name"},
		{name: "server", kind: kTable, help: "servers by name"},
		{name: "cluster", kind: kTable, help: "clusters by name"},
		{name: "flag", kind: kTable, help: "confirm failover and block failover, by the server that would take over, then by the one it would take over from"},
		{name: "notify", kind: kTable, help: "who is told what happens, by a name for each"},
	}
}

func estateKeys() []key {
	return []key{{name: "name", kind: kText, help: "the estate's name"}}
}

func sshKeys() []key {
	return []key{
		{name: "user", kind: kText, help: "user to log in as; when it is not root, sudo -n must work"},
		{name: "port", kind: kNumber, help: "port of sshd, default 22"},
		{name: "identity", kind: kText, help: "private key file"},
		{name: "known_hosts", kind: kText, help: "file with the nodes' host keys"},
		{name: "jump", kind: kText, help: "[user@]host[:port] to go through"},
		{name: "config", kind: kText, help: "OpenSSH client configuration file to read"},
	}
}

func regionKeys() []key {
	return []key{
		{name: "vpc", kind: kText, help: "VPC id"},
		{name: "cidrs", kind: kList, help: "the VPC's CIDR blocks"},
		{name: "profile", kind: kText, help: "AWS profile of the machine on which the engine runs"},
		{name: "ec2_endpoint", kind: kText, help: "EC2 endpoint, when it is not AWS's own"},
		{name: "route53_endpoint", kind: kText, help: "Route 53 endpoint, when it is not AWS's own"},
		{name: "route_tables", kind: kList, help: "the route tables to change; left out: every table of the VPC"},
	}
}

func serverKeys() []key {
	return []key{
		{name: "region", kind: kText, help: "name of a region of this file"},
		{name: "zone", kind: kText, help: "availability zone"},
		{name: "address", kind: kText, help: "private address, used by the other servers too"},
		{name: "connect", kind: kText, help: "host that the engine connects to; left out: address"},
		{name: "interface", kind: kText, help: "network interface for virtual IPs"},
		{name: "instance", kind: kText, help: "EC2 instance id"},
		{name: "eni", kind: kText, help: "id of the elastic network interface that routes point to"},
		{name: "on_shutdown", kind: kWord, words: []string{hierarchy.ShutdownWord(false), hierarchy.ShutdownWord(true)}, help: "what happens to its resources when it is shut down in good order"},
		{name: "ssh", kind: kTable, help: "how this server is reached, where that differs"},
		{name: "tuning", kind: kTable, help: "tuning values for this server"},
	}
}

func clusterKeys() []key {
	return []key{
		{name: "servers", kind: kList, help: "names of its servers"},
		{name: "quorum_mode", kind: kWord, words: []string{hierarchy.TCPRemote, hierarchy.Majority, hierarchy.NoQuorum}, help: "left out: by the cluster's shape"},
		{name: "quorum_hosts", kind: kList, help: "host:port, at least three in separate failure domains"},
		{name: "allow_automatic_crossing", kind: kYesNo, help: "true: resources may cross regions without a person's word"},
		{name: "fencing", kind: kWord, words: []string{"ec2-stop"}, help: "how a lost server is made sure to be off"},
		{name: "path", kind: kTables, help: "comm paths beside the full mesh over the servers' addresses"},
		{name: "resource", kind: kTable, help: "resources by tag"},
	}
}

func pathKeys() []key {
	return []key{
		{name: "from", kind: kText, help: "server"},
		{name: "to", kind: kText, help: "server"},
		{name: "from_address", kind: kText, help: "address to probe from"},
		{name: "to_address", kind: kText, help: "address to probe"},
		{name: "priority", kind: kNumber, help: "1 is best"},
		{name: "via", kind: kList, help: "cluster/tag of the resources that carry this path; a single one needs no brackets"},
	}
}

func resourceKeys() []key {
	return []key{
		{name: "kit", kind: kText, help: "the kind of resource"},
		{name: "switchback", kind: kWord, words: []string{string(hierarchy.Intelligent), string(hierarchy.Automatic)}, help: "intelligent stays where it is, automatic returns to the best server"},
		{name: "needs", kind: kList, help: "tags of its children"},
		{name: "on", kind: kTable, help: "servers by priority, or a table with the fields of each"},
	}
}

func placementKeys() []key {
	return []key{{name: "priority", kind: kNumber, help: "1 is highest"}}
}

func names(keys []key) []string {
	all := make([]string, len(keys))
	for i, k := range keys {
		all[i] = k.name
	}
	return all
}
