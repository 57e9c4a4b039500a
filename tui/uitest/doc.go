// Package uitest helps to test pages of the console: estates in every state that a
// screen must show well (Scene), a Context on one of them, a Service that answers from
// it and remembers what it was asked, keys pressed one after the other, and screens
// compared with golden files. Tests only.
package uitest
