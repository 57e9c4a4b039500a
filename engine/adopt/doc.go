// Package adopt is what an estate that lost its engine is rebuilt from: the copy of it
// that every node keeps, and the rules by which several nodes' copies and records
// become one state again. It is pure: it asks nobody and writes nothing.
//
// # The copy
//
// The engine pushes a Copy to every node after each change of the definition, of a
// claim, of a hold or of a person's refusal (package engine, copies.go). On the node
// it is one file, /var/lib/ferry/copy:
//
//	ferry-copy 1 EPOCH SERIAL SHA256
//	…base64 of gzip of JSON, in lines…
//
// The sum is that of everything after the first line. Copies are ordered by epoch,
// then by serial number; the node never lets an older one replace a newer one. A
// person reads it with: tail -n +2 copy | base64 -d | gunzip. It holds no secret.
//
// # What is rebuilt
//
//   - The definition: that of the newest copy.
//   - Claims: per resource the highest number that any copy or any node's record of
//     its own claims holds. The node's own record wins over a copy with a lower
//     number: the node took the resource after that copy was made. One number on two
//     nodes cannot be ordered: the policy then calls the hierarchy DUAL and leaves it
//     to a person.
//   - Holds and refusals of the newest copy.
//   - Records of replicated data (policy.Keep): those of the newest copy, all of them
//     doubtful, also the empty ones: a newer one may have been on a node that was not asked.
//     The doubt ends when the node in service proves the record, or with a person's force.
//   - The epoch: the highest seen anywhere, plus one.
//
// Operations, questions and everything observed are void. So is nothing else: what a
// copy holds and this version does not know is an error, not something left out.
package adopt
