package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/spf13/cobra"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/locate"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/manual"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/typed"
	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

// The exit codes, as documented in the help and the manual.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitBusy        = 3
	exitUnreachable = 4
	exitShort       = 5
	exitInterrupted = 130
)

// exitStatus are the exit codes that a command has.
func exitStatus(cmd *cobra.Command) (all []manual.Entry) {
	for _, c := range []struct {
		code  int
		flags []string // one of which the command has
		about string
	}{
		{exitDone, nil, "done, or nothing to do, or the answer to the question was no"},
		{exitFailed, nil, "something failed, or check found something; what could be shown was printed"},
		{exitUsage, nil, "invalid command line; nothing was changed"},
		{exitBusy, []string{"force", "repair"}, "another run is in progress in this namespace"},
		{exitUnreachable, []string{"address"}, "the store cannot be reached or opened"},
		{exitShort, []string{flagFree}, "less can be freed than --free or --low ask for; what can be is freed"},
		{exitInterrupted, []string{"timeout"}, "interrupted, or out of time; what was done by then is finished and told"},
	} {
		if c.flags == nil || slices.ContainsFunc(c.flags, func(flag string) bool { return hasFlag(cmd, flag) }) {
			all = append(all, manual.Entry{Name: strconv.Itoa(c.code), Text: c.about})
		}
	}
	return all
}

// usageError is a command line that cannot be used.
type usageError struct {
	problem string
	// cause is nil if nothing more is known of it.
	cause error
}

func (e *usageError) Error() string { return e.problem }
func (e *usageError) Unwrap() error { return e.cause }

func usagef(format string, args ...any) error {
	return &usageError{problem: fmt.Sprintf(format, args...)}
}

// unusable makes usage errors of joined errors.
func unusable(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return &usageError{text.Error(err), err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, unusable(e))
	}
	return errors.Join(all...)
}

// flagError is for a flag that cannot be used.
func flagError(cmd *cobra.Command, err error) error { return usagef("%s", typed.Mistake(cmd, err)) }

// saidError is a failure that the user has already been told about.
type saidError struct{ code int }

func (e *saidError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// stoppedError says that a run ended before it changed anything because its
// context ended.
type stoppedError struct{ why error }

func (e *stoppedError) Error() string { return e.why.Error() + "; nothing was removed" }

// stopped turns the error of a step that changes nothing into a stoppedError
// if the end of the context is the reason.
func stopped(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return &stoppedError{context.Cause(ctx)}
}

// unreadableError says that a store was opened but then stopped answering.
type unreadableError struct{ err error }

func (e *unreadableError) Error() string { return e.err.Error() }
func (e *unreadableError) Unwrap() error { return e.err }

// exitCode returns the exit code for what a command returned.
func exitCode(err error) int {
	var (
		said       *saidError
		stop       *stoppedError
		usage      *usageError
		filter     *filters.Error
		policy     *prune.PolicyError
		busy       *prune.Busy
		open       *prune.OpenError
		unreadable *unreadableError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &said):
		return said.code
	case errors.As(err, &stop):
		return exitInterrupted
	case prune.CodeOf(err) == "no-such-image", prune.CodeOf(err) == "nothing-named":
		return exitFailed
	case errors.As(err, &usage), errors.As(err, &filter), errors.As(err, &policy):
		return exitUsage
	case errors.As(err, &busy):
		return exitBusy
	case errors.As(err, &open), errors.As(err, &unreadable) && errdefs.IsUnavailable(err):
		return exitUnreachable
	}
	return exitFailed
}

// complain prints an error, one sentence a line, and returns its exit code.
func (p process) complain(err error) int {
	var said *saidError
	if err != nil && !errors.As(err, &said) {
		for _, remark := range complaints(err) {
			// If stderr is closed, the error cannot be reported to anybody.
			_ = p.remark(remark)
		}
	}
	return exitCode(err)
}

// fault writes what went wrong to stderr.
func (p process) fault(format string, args ...any) error {
	return p.remark(github.Remark{Level: github.Error, Text: fmt.Sprintf(format, args...)})
}

// caution writes to stderr what a user has to know, and what does not stop anything.
func (p process) caution(format string, args ...any) error {
	return p.remark(github.Remark{Level: github.Warning, Text: fmt.Sprintf(format, args...)})
}

func (p process) remark(r github.Remark) error {
	if !p.github {
		return p.say("ctr-prune: %s", r.Text)
	}
	out := p.printer(p.stderr)
	out.ASCII = false // what programs read is exact
	return github.FilesOf(p.getenv).Say(out, r)
}

// sentence is the text of an error, with advice on flags, which the library
// does not know about.
func sentence(err error) string {
	if typed := (*filters.Error)(nil); errors.As(err, &typed) && typed.Option != "" {
		return "--" + err.Error()
	}
	said := text.Error(err)
	if hint := locate.Hint(err); hint != "" {
		said += ". " + hint
	}
	return said
}

// complaints are the sentences of joined errors, each with its place in a file if it
// has one.
func complaints(err error) []github.Remark {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []github.Remark{complaint(err)}
	}
	var all []github.Remark
	var parts []string
	for _, e := range joined.Unwrap() {
		all = append(all, complaints(e)...)
		parts = append(parts, e.Error())
	}
	if strings.Join(parts, "\n") != err.Error() {
		return []github.Remark{complaint(err)} // one sentence around several causes
	}
	return all
}

func complaint(err error) github.Remark {
	r := github.Remark{Level: github.Error, Text: sentence(err)}
	if placed := (interface{ Place() (string, int, int) })(nil); errors.As(err, &placed) {
		r.File, r.Line, r.Column = placed.Place()
	}
	return r
}
