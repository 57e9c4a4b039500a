package main

import (
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/bringup"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
)

// The documents of -o json and -o yaml. Version is "ferry/v1"; Kind is the type's
// name without Document.

// StatusDocument is printed by status; with --watch one for every change.
type StatusDocument struct {
	Version string `json:"version"`
	Kind    string `json:"kind"`
	*api.Snapshot
}

// PreviewDocument is printed by in-service and out-of-service with --dry-run.
type PreviewDocument struct {
	Version string `json:"version"`
	Kind    string `json:"kind"`
	Command string `json:"command"` // the equivalent command line
	*api.Preview
}

// OperationDocument is printed by in-service, out-of-service and confirm yes at the
// end, and by operations ID. An empty id says that there was nothing to do.
type OperationDocument struct {
	Version string `json:"version"`
	Kind    string `json:"kind"`
	*api.Operation
}

// OperationListDocument is printed by operations, newest first.
type OperationListDocument struct {
	Version    string          `json:"version"`
	Kind       string          `json:"kind"`
	Operations []api.Operation `json:"operations"`
}

// EventListDocument is printed by events, oldest first.
type EventListDocument struct {
	Version string      `json:"version"`
	Kind    string      `json:"kind"`
	Events  []api.Event `json:"events"`
}

// EventDocument is one line of events --follow.
type EventDocument struct {
	Version string     `json:"version"`
	Kind    string     `json:"kind"`
	Event   *api.Event `json:"event"`
}

// QuestionListDocument is printed by confirm list.
type QuestionListDocument struct {
	Version   string            `json:"version"`
	Kind      string            `json:"kind"`
	Questions []policy.Question `json:"questions"`
}

// AnswerDocument is printed by confirm no, and by confirm yes --no-wait.
type AnswerDocument struct {
	Version  string `json:"version"`
	Kind     string `json:"kind"`
	Question string `json:"question"`
	Answer   string `json:"answer"` // yes, off, fence, no
}

// ChangesDocument is printed by apply and by every command that changes the
// definition. Applied is false for --dry-run. Notes are sentences about what one
// might not expect, in English.
type ChangesDocument struct {
	Version string       `json:"version"`
	Kind    string       `json:"kind"`
	Applied bool         `json:"applied"`
	Changes []api.Change `json:"changes"`
	Notes   []string     `json:"notes,omitempty"`
}

// BringUpDocument is printed by apply --in-service; with --dry-run before anything was done, else at the
// end. Applied tells that changes were put in force.
type BringUpDocument struct {
	Version     string       `json:"version"`
	Kind        string       `json:"kind"`
	Applied     bool         `json:"applied"`
	Changes     []api.Change `json:"changes"`
	Hierarchies []BroughtUp  `json:"hierarchies"`
}

// BroughtUp is one hierarchy, how far it is, and what was done about it, in the order in which they come up.
type BroughtUp struct {
	bringup.Work
	Did  string        `json:"did"` // nothing, brought-up, failed
	Took time.Duration `json:"took,omitempty"`
	// Impaired is what is wrong with it although it is in service; Copies are those of its data
	// that are not complete yet. English sentences.
	Impaired []string `json:"impaired,omitempty"`
	Copies   []string `json:"copies,omitempty"`
}

// What was done about a hierarchy.
const (
	DidNothing = "nothing"
	DidBringUp = "brought-up"
	DidFail    = "failed"
)

// DiffDocument is printed by diff: FILE against the definition in force, empty without a file, and that
// against what is there.
type DiffDocument struct {
	Version    string            `json:"version"`
	Kind       string            `json:"kind"`
	File       string            `json:"file,omitempty"`
	Definition []api.Change      `json:"definition"`
	Reality    []bringup.Finding `json:"reality"`
}

// EstateDocument is printed by export.
type EstateDocument struct {
	Version string            `json:"version"`
	Kind    string            `json:"kind"`
	Estate  *hierarchy.Estate `json:"estate"`
}

// SimulationDocument is printed by simulate: decisions in their order, plan with
// the steps of everything that would be started at once or after a yes, and plans
// with them apart.
type SimulationDocument struct {
	Version string `json:"version"`
	Kind    string `json:"kind"`
	*policy.Simulated
}

// ProblemsDocument is printed by config validate; no problems = a good file.
type ProblemsDocument struct {
	Version  string    `json:"version"`
	Kind     string    `json:"kind"`
	File     string    `json:"file"`
	Problems []Problem `json:"problems"`
	// Warnings are about a definition that is good, but weaker than it could be.
	Warnings []Warning `json:"warnings,omitempty"`
}

// Warning is what a good definition could do better.
type Warning struct {
	Message string `json:"message"`
	Fix     string `json:"fix"`
}

// Problem is one thing wrong with a definition. Line and Column count from 1; 0 =
// the file as a whole.
type Problem struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Text   string `json:"text"`
	Fix    string `json:"fix,omitempty"`
}

// InfoDocument is printed by info.
type InfoDocument struct {
	Version  string      `json:"version"`
	Kind     string      `json:"kind"`
	Program  VersionInfo `json:"program"`
	Socket   Place       `json:"socket"`
	StateDir Place       `json:"stateDir"`
	Engine   string      `json:"engine"` // who answers at the socket; empty = nobody
	Logs     string      `json:"logs"`
	Kits     []string    `json:"kits"`
}

// Place is where something lies and who said so.
type Place struct {
	Path   string `json:"path"`
	From   string `json:"from"`  // flag, environment, default
	State  string `json:"state"` // answers, nobody, missing, present, or what went wrong
	exists bool
}

// VersionDocument is printed by version.
type VersionDocument struct {
	Version string `json:"version"`
	Kind    string `json:"kind"`
	VersionInfo
}

// VersionInfo says what was built. Program is "devel" for a build outside a release.
type VersionInfo struct {
	Program  string    `json:"program"`
	Commit   string    `json:"commit,omitempty"`
	Modified bool      `json:"modified,omitempty"` // built from a tree with changes
	Date     time.Time `json:"date,omitzero"`      // of the commit
	Go       string    `json:"go"`
	Platform string    `json:"platform"`
}

// ResourceListDocument is printed by resource list.
type ResourceListDocument struct {
	Version   string          `json:"version"`
	Kind      string          `json:"kind"`
	Resources []ResourceEntry `json:"resources"`
}

// ResourceDocument is printed by resource show.
type ResourceDocument struct {
	Version  string        `json:"version"`
	Kind     string        `json:"kind"`
	Resource ResourceEntry `json:"resource"`
}

// ResourceEntry is a resource as it is defined and as it is seen. Hierarchy is
// everything that moves together with it, itself included, what starts first first.
type ResourceEntry struct {
	Definition *hierarchy.Resource `json:"definition"`
	Parents    []hierarchy.Tag     `json:"parents"`
	Hierarchy  []hierarchy.Tag     `json:"hierarchy"`
	Status     *api.ResourceStatus `json:"status"`
}

// DependencyListDocument is printed by dependency list.
type DependencyListDocument struct {
	Version      string       `json:"version"`
	Kind         string       `json:"kind"`
	Dependencies []Dependency `json:"dependencies"`
}

// Dependency says that Parent needs Child.
type Dependency struct {
	Parent hierarchy.Tag `json:"parent"`
	Child  hierarchy.Tag `json:"child"`
}

// ServerListDocument is printed by server list.
type ServerListDocument struct {
	Version string        `json:"version"`
	Kind    string        `json:"kind"`
	Servers []ServerEntry `json:"servers"`
}

// ServerDocument is printed by server show.
type ServerDocument struct {
	Version string      `json:"version"`
	Kind    string      `json:"kind"`
	Server  ServerEntry `json:"server"`
}

// ServerEntry is a server as it is defined and as it is seen. Flags are the rows in
// force of its form, one for each server of its cluster, itself included.
type ServerEntry struct {
	Definition *hierarchy.Server `json:"definition"`
	Shutdown   string            `json:"shutdown"` // "switch over" or "do not switch over"
	Flags      []hierarchy.Flag  `json:"flags"`
	Status     *api.NodeStatus   `json:"status"`
}

// TuningDocument is printed by tuning get.
type TuningDocument struct {
	Version string        `json:"version"`
	Kind    string        `json:"kind"`
	Values  []TuningValue `json:"values"`
}

// TuningValue is a value in force. An empty server: what holds for all.
type TuningValue struct {
	Name    string   `json:"name"`
	Server  string   `json:"server,omitempty"`
	Value   string   `json:"value"`
	Default string   `json:"default"`
	From    string   `json:"from"`              // default, all servers, server NAME, cluster NAME, cluster's shape
	Kind    string   `json:"type"`              // seconds, count, switch, word, text
	Min     int      `json:"min"`               // of seconds and counts
	Max     int      `json:"max"`               // of seconds and counts
	Choices []string `json:"choices,omitempty"` // of words
	Help    string   `json:"help"`
}

// ChoicesDocument is printed when a field's flag has the value "list".
type ChoicesDocument struct {
	Version string   `json:"version"`
	Kind    string   `json:"kind"`
	Kit     string   `json:"kit"`
	Field   string   `json:"field"`
	Node    string   `json:"node,omitempty"`
	Choices []string `json:"choices"`
}

// HoldListDocument is printed by hold and hold list: the holds in force.
type HoldListDocument struct {
	Version string           `json:"version"`
	Kind    string           `json:"kind"`
	Holds   []api.HoldStatus `json:"holds"`
}
