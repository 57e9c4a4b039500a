// Package tui is the console: an interactive terminal program on one or several
// engines, each reached through an api.Service.
//
// Run opens it and returns when the person leaves. The root model (app.go) is the only
// tea.Model. It owns what belongs to the whole screen: the bars, the breadcrumbs, the
// windows that lie over a page, the modes in which keys go somewhere else (a filter that
// is typed, a window), the mouse, and one desk per estate. A desk is an estate's
// connection (feed.go), the Context that its pages share, and the pages themselves,
// which are made by makers (pages.go) and addressed by kind and argument.
//
// # How things flow
//
// One goroutine per desk watches its engine and sends what is new into the program:
// a fresh snapshot, at most ten a second; events and progress as they come; the loss of the
// connection, after which it connects again by itself. Update never waits for anything:
// what takes time is a command.
//
// Every change goes one way: a page asks for it by ui.Do, package act previews it, the
// person says yes (and types the region where it crosses), then it is submitted. The
// console decides nothing, and an engine that is watched is not slowed down by it.
//
// # What it never does
//
// It opens no SSH connection, calls no cloud, keeps no state but what is on the screen,
// and a page that is only looked at changes nothing.
package tui
