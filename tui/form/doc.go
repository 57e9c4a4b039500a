// Package form is a column of questions: lines of text with something to choose from,
// choices, check boxes, places in an order. It draws them with their problems, scrolls, and
// keeps the help and the choices of the question under the cursor beside them.
//
// The answers are kept by the question's id and outlive the question: a form is given
// other questions (SetFields) and finds the old answers when they come back. An empty
// answer means the default.
//
// Whoever uses it says what is wrong with an answer (SetProblems) and where choices come
// from (Field.Items, Loading, Notice). The form judges nothing, loads nothing, knows no
// kits and no engine.
package form
