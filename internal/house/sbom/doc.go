// Command sbom writes down what a Go program is made of, as a CycloneDX 1.6 document:
//
//	sbom -o ferry.cdx.json dist/ferry
//
// It reads what the Go linker stamped into the program, so the list is of what is in
// it, not of what a go.mod asks for: the main module, every module that was linked,
// with version and go.sum's hash, and the standard library. It works on programs for
// any system. The same program gives the same document, byte for byte: its date is
// the commit's, its serial number comes from the program's hash.
//
// Which module needs which other one is not in a program, and licences are not either;
// the document says so and does not guess. The release (.goreleaser.yaml) calls it
// once for each program.
package main
