// Package wizard asks for what a new resource, or one more server of a resource, needs
// to know: page by page, in LifeKeeper's order, with a summary before anything happens.
//
// # Pages from data
//
// Everything is made from the fields that a kit declares (kits.Kit.Fields), so a new kit
// has its wizard without a line here. Pages are derived from the answers each time one
// changes; the answers are kept by what was asked, so that going back, choosing
// another kit and coming back loses nothing.
//
//   - Create asks: cluster (where there are several), kit, switchback type; servers with
//     priorities, what it needs; the kit's fields, the tag.
//   - Extend asks: target server, switchback type, priorities; for every resource of
//     the hierarchy the fields that may differ there.
//
// A field that may differ from node to node is asked once, once per region or once per
// server, as the person likes; one that has to be given is asked per region from the start.
//
// # Judging
//
// What a value looks like is judged as it is typed (hierarchy.CheckField); the whole by
// edit.Make on a copy of the definition, beside the screen, one at a time. A problem stands
// at its field. Choices are loaded from the engine when the cursor reaches a field, kept by
// everything that they may depend on, and never put into a field by themselves.
//
// # What comes along
//
// A kit that cannot do without a child (kits.ChildMaker) has its servers asked when the
// summary is reached (kin.go): what the child is to be, and whether they may take it.
// The child stands in the summary and goes into the same change; a server that may not,
// or does not say, is a problem there, and asking again is a key.
//
// # What it never does
//
// It changes nothing: the last page asks for the change by ui.Do. It keeps no secret: the
// definition has no place for one, so a field of that kind is named and not asked.
package wizard
