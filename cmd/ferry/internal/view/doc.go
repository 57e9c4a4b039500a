// Package view turns what the engine says into text for people: the status table,
// plans, questions, progress, events, operations, simulations.
//
// Every function is pure: values, a style and the time in, a string out (always
// ending in a line break when it is not empty). None decides anything, none does
// I/O, so each screen can be compared with a golden file. Whatever came from a
// node or a cloud passes term.Clean on its way.
//
// The reader is taken to be an administrator at 3 a.m. in front of 80 columns:
// what waits for a person comes first, reasons stand beside what they explain,
// meaning never rests on colour alone, and ages say how old the knowledge is.
package view
