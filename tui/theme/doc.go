// Package theme says what things look like: styles by meaning (good, warn, bad, …), not
// by colour, and marks that have an ASCII twin. A page asks for theme.Bad, never for red.
//
// There are three themes, dark, light and mono; each exists in Unicode and in ASCII.
// Meaning never rests on colour alone: every state has its own mark and word.
//
// A Theme is a value made once for a terminal and shared by all pages; nothing in it
// changes. The package draws nothing and reads no environment.
package theme
