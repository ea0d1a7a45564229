package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/manual"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
)

// otherFlags is the title of flags that are in no group.
const otherFlags = "Other"

// rareFlags are left out of the short help: most people never need them.
var rareFlags = []string{
	"dangling-prefix", flagIngests, "distribution", "allow-insecure-socket", flagInsecureFile, "connect-timeout", flagState, flagDockerGone, flagDockerHost,
	flagPods, "pods-may-be-empty", "pods-token-file", "pods-certificate-authority", "pods-client-certificate", "pods-client-key", "pods-insecure-skip-tls-verify",
	flagNoGuard, flagStall, "wait", flagUsedWithin, flagProtect, "no-trunc", flagVerbose, flagDebug, flagColour, "help", "version",
}

// help prints the short help of a command on stdout.
func help(cmd *cobra.Command, _ []string) { cmd.Print(pageOf(cmd).Screen(false)) }

// usage prints the same on stderr.
func usage(cmd *cobra.Command) error {
	cmd.PrintErr(pageOf(cmd).Screen(false))
	return nil
}

// pageOf is what there is to say about a command.
func pageOf(cmd *cobra.Command) manual.Page {
	p := manual.Page{Command: cmd.CommandPath(), Short: cmd.Short, Long: cmd.Long, Usage: []string{cmd.UseLine()}, Examples: cmd.Example}
	if cmd.HasParent() {
		p.Parent = cmd.Parent().CommandPath()
	}
	for _, group := range flagGroups(cmd) {
		p.Groups = append(p.Groups, manual.Group{Title: group.title, Flags: flagsOf(group.flags)})
	}
	for _, sub := range subcommands(cmd) {
		p.Commands = append(p.Commands, manual.Entry{Name: sub.Name(), Text: sub.Short})
	}
	if len(p.Commands) > 0 {
		p.Usage = append(p.Usage, cmd.CommandPath()+" COMMAND")
	}
	p.Sections = sections(cmd)
	return p
}

// subcommands are the commands that a command has.
func subcommands(cmd *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(cmd.Commands()), func(c *cobra.Command) bool { return !c.IsAvailableCommand() })
}

func flagsOf(fs *pflag.FlagSet) (flags []manual.Flag) {
	fs.VisitAll(func(f *pflag.Flag) {
		flag := manual.FlagOf(f)
		flag.Rare = slices.Contains(rareFlags, f.Name)
		flags = append(flags, flag)
	})
	return flags
}

// sections are the parts of the help that do not belong to a flag.
func sections(cmd *cobra.Command) []manual.Section {
	parts := fieldSections(cmd)
	if !cmd.HasParent() {
		parts = append(parts, manual.Section{Title: "Filters", Entries: filterEntries(pruneFilters), Prose: filterProse})
	}
	return append(parts,
		manual.Section{Title: "Environment", Entries: environment(cmd), Man: true},
		manual.Section{Title: "Files", Entries: filesOf(cmd), Man: true},
		manual.Section{Title: "Exit status", Entries: exitStatus(cmd)})
}

// filterKey is a filter as help and completion tell of it.
type filterKey struct{ key, value, about string }

// pruneFilters are the filters of a prune.
var pruneFilters = []filterKey{
	{"dangling=", "true|false", "only dangling images (the default), or all, as --all"},
	{"until=", "AGE|TIME", "it is at least that old: the same as --until"},
	{"before=", "IMAGE", "it is older than this image"},
	{"since=", "IMAGE", "it is newer than this image"},
	{"id=", "IMAGE[,…]", "it is one of these, by name or ID, as an argument"},
	{"label=", "KEY[=VALUE]", "the image has this label, on a platform that is present"},
	{"label!=", "KEY[=VALUE]", "the image has it on no platform"},
	{"reference=", "PATTERN[,…]", "its name matches one, such as nginx, 'nginx:1.*' or 'ghcr.io/*/*'"},
	{"reference!=", "PATTERN[,…]", "its name matches none"},
}

// filterEntries are filters in the help.
func filterEntries(keys []filterKey) []manual.Entry {
	return each(keys, func(k filterKey) manual.Entry { return manual.Entry{Name: k.key + k.value, Text: k.about} })
}

// offered are filters for completion.
func offered(keys []filterKey) []string {
	return each(keys, func(k filterKey) string { return k.key + "\t" + k.about })
}

var filterProse = []string{
	"Ages such as 72h, 3d, 2w or 1d12h are counted from the latest of three times: when the record was created, when it was updated, " +
		"and when its image was added to the store. Times are 2026-01-31, RFC 3339, or Unix seconds.",
	"All filters must match. An image that a filter cannot judge is kept.",
}

// newHelp returns the command that prints the help of another one.
func newHelp() *cobra.Command {
	whole := false
	cmd := &cobra.Command{
		Use:   "help [--all] [COMMAND]",
		Short: "Help with a command; with --all all there is to say",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				hint := ""
				if len(rest) > 0 {
					hint = nearCommand(about, rest[0])
				}
				return usagef("there is no command %q: %ssee %s --help", strings.Join(args, " "), hint, cmd.Root().Name())
			}
			about.InitDefaultHelpFlag()
			about.InitDefaultVersionFlag()
			cmd.Print(pageOf(about).Screen(whole))
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return each(subcommands(about), func(c *cobra.Command) string { return c.Name() + "\t" + c.Short }), cobra.ShellCompDirectiveNoFileComp
		},
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().BoolVar(&whole, "all", false, "all flags, filters and exit codes, with all that is said of them")
	return cmd
}

type flagGroup struct {
	title string
	flags *pflag.FlagSet
}

// flagGroups sorts the flags of a command by their groups, those without one
// last.
func flagGroups(cmd *cobra.Command) []flagGroup {
	var groups []flagGroup
	add := func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		title := otherFlags
		if group := f.Annotations[groupKey]; len(group) > 0 {
			title = group[0]
		}
		i := slices.IndexFunc(groups, func(g flagGroup) bool { return g.title == title })
		if i < 0 {
			i = len(groups)
			fs := pflag.NewFlagSet(title, pflag.ContinueOnError)
			fs.SortFlags = false
			groups = append(groups, flagGroup{title, fs})
		}
		groups[i].flags.AddFlag(f)
	}
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	slices.SortStableFunc(groups, func(a, b flagGroup) int {
		return boolInt(a.title == otherFlags) - boolInt(b.title == otherFlags)
	})
	return groups
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Annotations of a command whose --format takes a template.
const (
	rowKey    = "ctr-prune/template-row"
	fieldsKey = "ctr-prune/template-fields"
	// extraKey is the help with the filters of a command.
	extraKey = "ctr-prune/filters"
)

// templateHelp lists the fields of a row in the help.
func templateHelp[R any](cmd *cobra.Command, shape format.Shape[R]) {
	if cmd.Annotations == nil {
		cmd.Annotations = make(map[string]string)
	}
	cmd.Annotations[rowKey] = shape.Row
	cmd.Annotations[fieldsKey] = format.Fields(*new(R))
}

// fieldSections tell of a command's own filters and of the fields of its templates.
func fieldSections(cmd *cobra.Command) (parts []manual.Section) {
	if cmd.Annotations[extraKey] != "" {
		parts = append(parts, manual.Section{Title: "Filters", Entries: filterEntries(usageFilters()), Prose: []string{usageFilterProse}})
	}
	fields := cmd.Annotations[fieldsKey]
	if fields == "" {
		return parts
	}
	first, _, _ := strings.Cut(fields, ",")
	about := fmt.Sprintf("%s has the fields %s. Functions are docker's: json, join, split, upper, lower, title, pad, truncate, println; and size. %q makes a table.",
		text.Capital(cmd.Annotations[rowKey]), fields, "table {{"+first+"}}")
	return append(parts, manual.Section{Title: "Fields for --format", Prose: []string{about}})
}

// environment are the variables that a command uses.
func environment(cmd *cobra.Command) (all []manual.Entry) {
	for _, e := range []struct{ flag, name, about string }{
		{"address", envAddress, "containerd's socket, if --address is not given"},
		{"namespace", envNamespace, "the namespace, if --namespace is not given"},
		{flagDockerHost, "DOCKER_HOST", "Docker's socket, if --docker-host is not given"},
		{flagState, envState, "where it is kept when images were last used"},
		{flagNode, envNode, "the name of the node, if --node-name is not given"},
		{"force", "PAGER", "shows the details of a question"},
		{flagInsecureFile, "SUDO_UID", "the files of the user who called sudo are trusted like those of root"},
		{flagColour, "NO_COLOR", "not empty: no colours, unless --color=always is given"},
	} {
		if hasFlag(cmd, e.flag) {
			all = append(all, manual.Entry{Name: e.name, Text: e.about})
		}
	}
	return all
}

// filesOf are the files that a command uses.
func filesOf(cmd *cobra.Command) (all []manual.Entry) {
	for _, f := range []struct{ flag, name, about string }{
		{"address", "/run/containerd/containerd.sock", "containerd's socket; where distributions have another one, that is found, too"},
		{"address", "/etc/nerdctl/nerdctl.toml, /etc/crictl.yaml", "name the socket where these programs are configured"},
		{"root", "/var/lib/containerd", "containerd's root on most systems, for --root"},
		{flagDockerHost, "/var/run/docker.sock", "Docker's socket"},
		{flagState, defaultState, "when images were last used, and the last runs of serve"},
		{flagConfig, "/etc/ctr-prune/config.yaml", "the policy of the service"},
	} {
		if hasFlag(cmd, f.flag) {
			all = append(all, manual.Entry{Name: f.name, Text: f.about})
		}
	}
	return all
}

func hasFlag(cmd *cobra.Command, name string) bool {
	return cmd.Flags().Lookup(name) != nil || cmd.InheritedFlags().Lookup(name) != nil
}

// groupKey is the annotation of a flag that names its group in the help.
const groupKey = "ctr-prune/group"

// addGroup adds flags to a command under a title in its help. Titles are
// shown in the order in which they are first added.
func addGroup(cmd *cobra.Command, title string, add func(*pflag.FlagSet)) {
	group := pflag.NewFlagSet(title, pflag.ContinueOnError)
	group.SortFlags = false
	add(group)
	cmd.Flags().SortFlags = false
	group.VisitAll(func(f *pflag.Flag) {
		if f.Annotations == nil {
			f.Annotations = make(map[string][]string)
		}
		f.Annotations[groupKey] = []string{title}
		cmd.Flags().AddFlag(f)
	})
}
