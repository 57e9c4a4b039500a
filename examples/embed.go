// Package examples holds the definitions that the documentation and the demo use.
package examples

import _ "embed"

// CrossRegion is cross-region.toml: two regions, eight nodes.
//
//go:embed cross-region.toml
var CrossRegion string

// CrossRegionOracle is cross-region-oracle.toml: the same with a database on replicated data.
//
//go:embed cross-region-oracle.toml
var CrossRegionOracle string
