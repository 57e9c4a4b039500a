package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
)

// exitCode maps an error to the documented exit codes.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	return codeOf(kindOf(err))
}

func codeOf(k api.ErrorKind) int {
	switch k {
	case api.KindUsage:
		return 64
	case api.KindUnavailable:
		return 69
	case api.KindBusy:
		return 75
	case api.KindDenied:
		return 77
	case api.KindConfig:
		return 78
	case api.KindNoSuch:
		return 105
	case api.KindNoQuorum:
		return 106
	case api.KindUnsafe:
		return 107
	case api.KindTimeout:
		return 124
	case api.KindDegraded:
		return 190
	}
	return 1
}

// kindOf is the kind that an engine gave an error; other errors are judged here.
func kindOf(err error) api.ErrorKind {
	var known *api.Error
	var none *hierarchy.NoSuchError
	switch {
	case errors.As(err, &known):
		return known.Kind
	case errors.Is(err, context.DeadlineExceeded):
		return api.KindTimeout
	case errors.As(err, &none) && len(none.Several) > 0:
		return api.KindUsage
	case errors.As(err, &none):
		return api.KindNoSuch
	case nobodyListens(err), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
		return api.KindUnavailable
	case errors.Is(err, fs.ErrPermission):
		return api.KindDenied
	}
	return api.KindFailed
}

// nobodyListens tells that there is no socket, or one that a dead engine left.
func nobodyListens(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

// fail makes an error for people.
func fail(kind api.ErrorKind, hint, format string, args ...any) error {
	return &api.Error{Kind: kind, Message: fmt.Sprintf(format, args...), Hint: hint}
}

func usage(hint, format string, args ...any) error {
	return fail(api.KindUsage, hint, format, args...)
}

// refusedKind gives a refusal its kind of error.
func refusedKind(k policy.RefusedKind) api.ErrorKind {
	switch k {
	case policy.RefusedNoSuch:
		return api.KindNoSuch
	case policy.RefusedBusy:
		return api.KindBusy
	case policy.RefusedUnsafe:
		return api.KindUnsafe
	case policy.RefusedNoQuorum:
		return api.KindNoQuorum
	case policy.RefusedInvalid:
		return api.KindUsage
	}
	return api.KindFailed
}

// printError writes what went wrong and what to do about it.
func printError(w io.Writer, err error, st term.Style) {
	text := term.Clean(err.Error())
	if errors.Is(err, context.DeadlineExceeded) && !errors.As(err, new(*api.Error)) {
		text = "no answer in time: " + text
	}
	if text != "" {
		fmt.Fprintf(w, "%s %s\n", st.Paint(term.Bad, "error:"), text)
	}
	var e *api.Error
	if errors.As(err, &e) && e.Hint != "" {
		for _, l := range strings.Split(e.Hint, "\n") {
			fmt.Fprintf(w, "%s %s\n", st.Paint(term.Warn, "hint:"), term.Clean(l))
		}
	}
}
