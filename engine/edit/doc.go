// Package edit changes a definition the way people think of it: create a resource,
// extend it to a server, give it a dependency, set a flag. Commands and the console
// ask a person what is wished, make an Edit of it, and put the result in force.
//
// An Edit is plain data, so the same wish can be tried again on a definition that
// somebody else changed meanwhile. Make is pure: it works on a copy, and either
// gives a definition that hierarchy.Validate finds nothing wrong with, together with
// the list of what is different, or an error that says what to write instead.
//
// # What an edit looks after
//
//   - A hierarchy stays whole: extend and unextend take every resource of it along,
//     and where several roots stand on the same children, they say so first.
//   - Every server has its own priority; two of one number are refused by name.
//   - A kit whose resource cannot do without a child (kits.ChildMaker: Openswan's ec2)
//     reads from each server what that child is to be. Pendings tells whoever makes the
//     edit what has to be read, the engine reads it (api.Service.Children), and Provide
//     puts it into the same change. Deleting takes the child along, as LifeKeeper does:
//     without its parent nothing would tell where its routes belong.
//   - What is needed is not deleted, and nothing comes to need itself.
//   - Fields are those that the kit declares, of the kind that it declares.
//
// # What this package never does
//
// It knows no states: whether something may be removed that is in service right now
// is judged by the engine, which sees it. It reads no file, asks nobody, knows no
// kit by name.
package edit
