package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/typed"
	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/filters/spelling"
	"github.com/ctr-prune/ctr-prune/prune"
)

const rootLong = `Remove unused images from a containerd store, and nothing else.

By default, only dangling images are removed: those left without a name that
anybody would type. With --all, every image that no container uses is removed.
With IMAGE, a name or an ID, only these are removed; one that is needed stays,
its reason is shown, and the exit code is 1.
Images that a container, a pin, a lease or another image needs are kept;
--dry-run shows the reason for every image.

On a terminal, the plan is shown and confirmation asked for; --force skips the
question.`

const rootExamples = `  # What would be removed, and why the rest is kept
  ctr-prune --all --dry-run

  # What fills the disk, and why an image is still there
  ctr-prune df
  ctr-prune explain --all nginx:1.27

  # Remove every unused image that is at least three days old
  ctr-prune --all --until 72h

  # The same for Kubernetes, from cron
  ctr-prune --all --until 72h -n k8s.io --force

  # Only these images, whether they have a name or not
  ctr-prune nginx:1.27 9c1b5f5d2c7a

  # Only images of one registry, but nothing labelled keep
  ctr-prune --all --filter 'reference=ghcr.io/*/*' --filter 'label!=keep'

  # All but the three newest of each repository; or by a policy file
  ctr-prune --all --keep-last 3
  ctr-prune --policy policy.yaml

  # Only as many as free 20GB, or as bring the disk to 65% in use
  ctr-prune --all --free 20GB
  ctr-prune --all --low 65%

  # Remove, then undo it
  ctr-prune --all --grace 24h
  ctr-prune undo

  # The disk is full and containerd does not start
  ctr-prune --all --root /var/lib/containerd

  # The same if the disk is too full even for the lease that guards a run
  ctr-prune --all --root /var/lib/containerd --no-guard

  # For programs
  ctr-prune --all --dry-run --format json`

// newRoot returns the command with all its subcommands.
func newRoot(p process) *cobra.Command {
	if p.colour == nil {
		p.colour = new(string)
	}
	o, verbose := &actOptions{}, false
	o.policy.arguments.taken = true
	root := &cobra.Command{
		Use:           "ctr-prune [flags] [IMAGE…]",
		Short:         "Remove unused images from a containerd store",
		Long:          rootLong,
		Example:       rootExamples,
		Version:       version().Version,
		Args:          onlyImages,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          work[imageRow]{&o.commonOptions, imageShape(), o.refuse, o.changes, o.do}.run(p),
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		p.startLog(verbose)
		if said := typed.LostValue(cmd); said != "" {
			return usagef("%s", said)
		}
		return p.checkColour()
	}
	root.SetFlagErrorFunc(flagError)
	addGroup(root, "What to remove", o.policy.add)
	addGroup(root, "Where", o.store.adder(stopsDeleting))
	addGroup(root, "Where", o.state.add)
	addGroup(root, "What else is in use", o.clients.adder("the file of --pods or --policy"))
	addGroup(root, "How", o.addHow)
	addGroup(root, "Output", o.addOutput)
	p.addColour(root.PersistentFlags())
	root.PersistentFlags().BoolVar(&verbose, flagDebug, false, "log to stderr what is done")
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpFunc(help)
	root.SetUsageFunc(usage)
	root.SetHelpCommand(newHelp())
	root.AddCommand(newExplain(p), newUsage(p), newPlan(p), newApply(p),
		newBrowse(p), newUndo(p), newRuns(p), newLeases(p), newCheck(p), newPolicy(p), newServe(p), newHistory(p))
	root.AddCommand(newVersion(p), newCompletion(p))
	completeFlags(root, p, &o.commonOptions)
	completeFlag(root, flagColour, fixed(colourAuto, colourAlways, colourNever))
	root.ValidArgsFunction = completer{process: p, options: &o.commonOptions}.named
	return root
}

// noArguments refuses positional arguments in a sentence.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		if hint := nearCommand(cmd, args[0]); hint != "" {
			return usagef("there is no command %q: %s", args[0], strings.TrimSpace(hint))
		}
		return usagef("unexpected argument %q: %s takes a command or none; see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())
	}
	return usagef("unexpected argument %q: %s takes none", args[0], cmd.CommandPath())
}

// nearCommand asks whether another subcommand was meant, "" if none is near.
func nearCommand(cmd *cobra.Command, typed string) string {
	return spelling.Hint(typed, "", each(subcommands(cmd), (*cobra.Command).Name))
}

// otherCommands are commands of other programs, and what does the same here.
var otherCommands = map[string]string{
	"prune":  "ctr-prune without a command prunes",
	"rmi":    "ctr-prune IMAGE removes an image, by its name or its ID",
	"rm":     "ctr-prune IMAGE removes an image, by its name or its ID",
	"images": "ctr-prune df lists the images",
	"image":  "ctr-prune df lists the images, and ctr-prune without a command prunes",
	"ls":     "ctr-prune df lists the images",
	"list":   "ctr-prune df lists the images",
	"system": "ctr-prune df shows what fills the store, and ctr-prune without a command prunes",
}

// imageArguments are arguments that name images, where a command takes such.
type imageArguments struct {
	taken bool
	names []string
}

// onlyImages refuses arguments that cannot name images, and those that were
// most likely meant as a command.
func onlyImages(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if slices.Contains(args, "") {
		return usagef("the name of an image is empty: give its name or its ID")
	}
	if f := cmd.Flags().Lookup(flagIngests); f != nil && f.Changed {
		if _, err := filters.ParseAge(args[0]); err == nil {
			return usagef("unexpected argument %q: type --%s=%s, because the age must be joined to its flag", args[0], flagIngests, args[0])
		}
	}
	if cmd.HasParent() {
		return nil
	}
	if said, known := otherCommands[args[0]]; known {
		return usagef("there is no command %q: %s; see %s --help", args[0], said, cmd.Name())
	}
	if hint := nearCommand(cmd, args[0]); hint != "" && !strings.ContainsAny(args[0], ":/@") {
		return usagef("there is no command %q: %sFor an image of that name, give its tag as well: %s:latest", args[0], hint, args[0])
	}
	return nil
}

// choice is what was typed of which images may be removed. Those that are named
// need no --all.
func (o *policyOptions) choice() filters.Options {
	choice := filters.Options{All: o.all || o.retention.everything(o.filters), Until: o.until, Filters: o.filters}
	if len(o.arguments.names) > 0 {
		escaped := strings.NewReplacer(`\`, `\\`, `,`, `\,`) // commas are between images
		choice.All = true
		choice.Filters = append(slices.Clone(o.filters), "id="+strings.Join(each(o.arguments.names, escaped.Replace), ","))
	}
	return choice
}

const flagDebug = "debug"

func (p process) startLog(verbose bool) {
	level := slog.LevelError // containerd warns of what it only prefers, such as fs-verity
	if verbose {
		level = slog.LevelDebug
	}
	if p.logAt != nil {
		p.logAt(level)
	}
}

// outcome reports what went wrong and returns the exit code. The document has
// the texts of the errors that cause consists of.
func (p process) outcome(ctx context.Context, doc prune.Document, cause error) error {
	for _, failed := range doc.Errors {
		if err := p.fault("%s", failed.Reason); err != nil {
			return err
		}
	}
	err := p.refused(doc)
	switch {
	case busyOf(cause) != nil: // it has finished a killed run elsewhere before
		return &saidError{exitBusy}
	case doc.Interrupted:
		return firstError(p.fault("%s; run it again for the rest", cut(ctx, doc)), &saidError{exitInterrupted})
	case ctx.Err() != nil && len(doc.Errors) > 0: // the interruption came when the run was about to end
		return &saidError{exitInterrupted}
	case len(doc.Errors) > 0:
		return &saidError{exitFailed}
	}
	return err
}

// cut says how far a run got that was interrupted.
func cut(ctx context.Context, doc prune.Document) string {
	planned := doc.Counts.Remove + doc.Counts.StandIn
	if !doc.Measured || len(doc.Untagged) >= planned { // only uploads are left
		return context.Cause(ctx).Error()
	}
	return fmt.Sprintf("%s after %d of %s", context.Cause(ctx), len(doc.Untagged), terminal.Count(planned, "image record"))
}

// refused reports the namespaces that were skipped. This is a failure, because
// they were asked for.
func (p process) refused(doc prune.Document) error {
	if len(doc.Refused) == 0 {
		return nil
	}
	for _, r := range doc.Refused {
		if err := p.fault("%s", r.Error()); err != nil {
			return err
		}
	}
	return &saidError{exitFailed}
}

// say writes a sentence to stderr.
func (p process) say(format string, args ...any) error {
	out := p.printer(p.stderr)
	out.Sentence(format, args...)
	return out.Flush()
}

// linkedVersion is set by packagers with -ldflags "-X main.linkedVersion=…".
var linkedVersion string

// versionInfo is what this program was built from.
type versionInfo struct {
	Version    string `json:"version"`
	Go         string `json:"go"`
	Platform   string `json:"platform"`
	Containerd string `json:"containerd"`
}

func version() versionInfo {
	v := versionInfo{Version: linkedVersion, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.Version = cmp.Or(v.Version, info.Main.Version)
		for _, dep := range info.Deps {
			if dep.Path == "github.com/containerd/containerd/v2" {
				v.Containerd = dep.Version
			}
		}
	}
	v.Version = cmp.Or(v.Version, "(devel)")
	return v
}

func newVersion(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version of this program",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			v := version()
			out := p.printer(p.stdout)
			out.Line("ctr-prune %s", v.Version)
			out.Line("built with %s for %s", v.Go, v.Platform)
			out.Line("containerd packages %s", v.Containerd)
			return out.Flush()
		},
	}
}
