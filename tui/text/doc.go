// Package text holds every word of the console, in English and in Japanese.
//
// Words stand in catalogs, one TOML file per room of the console and language
// (catalog/en/hierarchies.toml, catalog/ja/hierarchies.toml), read by go-i18n. An id is
// the room and a name, "hierarchies.title"; {{.node}} is an argument, given by name. A
// test compares the languages: every id in both, with the same arguments, and none
// that no code uses.
//
// Reasons come from the engine as a code with arguments and complete English. Reason
// gives the Japanese of a code that catalog/ja/reasons.toml knows ("evidence-missed"
// as "reason.evidence-missed"), and the English of every other one: a reason is never
// silent.
//
// Words of the field stay as they are in both languages (ISP, OSU, failover's name for
// a flag, tags, node names), and so do JSON and log keys. The package reads no
// environment but through Detect, and draws nothing.
package text
