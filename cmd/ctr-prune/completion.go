package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/locate"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// completionTime is how long completing from the live store may take, because
// the shell waits for it.
const completionTime = 150 * time.Millisecond

// completable prepares a command for completion, which shows usages unchanged, hence
// without the quotes by which the help finds a flag's value, and which offers files
// to a command that takes none unless it is told.
func completable(cmd *cobra.Command) {
	plain := func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") }
	cmd.Flags().VisitAll(plain)
	cmd.PersistentFlags().VisitAll(plain)
	if cmd.ValidArgsFunction == nil && cmd.ValidArgs == nil && !strings.Contains(cmd.Use, "FILE") {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, sub := range cmd.Commands() {
		completable(sub)
	}
}

const completionExamples = `  # bash, for this shell or for every one of this user
  source <(ctr-prune completion bash)
  ctr-prune completion bash \
    > ~/.local/share/bash-completion/completions/ctr-prune

  # zsh, in a folder of $fpath
  ctr-prune completion zsh > "${fpath[1]}/_ctr-prune"

  # fish
  ctr-prune completion fish > ~/.config/fish/completions/ctr-prune.fish`

// newCompletion makes the command that prints the scripts for shells.
func newCompletion(p process) *cobra.Command {
	shells := map[string]func(*cobra.Command, io.Writer) error{
		"bash": func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"zsh":  (*cobra.Command).GenZshCompletion,
		"fish": func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
	}
	return &cobra.Command{
		Use:                   "completion bash|zsh|fish",
		Short:                 "Print the completion script for a shell",
		Example:               completionExamples,
		ValidArgs:             []string{"bash", "zsh", "fish"},
		DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || shells[args[0]] == nil {
				return usagef("name one shell: bash, zsh or fish")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := shells[args[0]](cmd.Root(), p.stdout); err != nil {
				return fmt.Errorf("writing the output: %w", err)
			}
			return nil
		},
	}
}

// completeFlags tells the shells what the flags of a command accept.
func completeFlags(cmd *cobra.Command, p process, o *commonOptions) {
	live := completer{process: p, options: o}
	for flag, complete := range map[string]cobra.CompletionFunc{
		"distribution": fixed(locate.Distributions()...),
		"namespace": func(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return live.namespaces(), cobra.ShellCompDirectiveNoFileComp
		},
		"filter":   live.filters,
		"until":    fixed("24h", "72h", "1w", "2w", "4w"),
		flagPolicy: files, flagKeepLast: fixed("1", "3", "5"), flagKeepWithin: fixed("24h", "72h", "1w", "2w"), flagUsedWithin: fixed("2d", "1w", "30d"),
		flagProtect: live.named,
		flagFree:    fixed("1GB", "10GB", "50GB"), flagLow: fixed("50%", "65%", "80%"),
		flagSort: fixed(text.Orders()...), flagTop: fixed("5", "10", "20"),
		"ingests": fixed("24h", "72h", "1w"), "grace": fixed("24h", "3d", "1w"),
		flagStall: fixed("100ms", "250ms", "1s", "none"),
		"format":  fixed(format.Named()...),
		"root":    directories,
		"state":   directories,
		// Nothing useful can be offered for these, and files would mislead.
		"dangling-prefix": fixed(), "timeout": fixed("1m", "10m", "1h"), "connect-timeout": fixed("1s", "10s", "1m"),
	} {
		_, done := cmd.GetFlagCompletionFunc(flag)
		if cmd.Flags().Lookup(flag) != nil && !done {
			completeFlag(cmd, flag, complete)
		}
	}
}

// completeFlag registers a completion. It fails only for a flag that does not
// exist or has one.
func completeFlag(cmd *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err)
	}
}

func fixed(choices ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp)
}

func directories(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func files(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// completer asks containerd for what could be typed. One that does not answer at
// once offers nothing. Neither do the files of a stopped containerd: they are
// examined as a whole under the locks of their databases, which would keep
// containerd from starting because somebody presses a key.
type completer struct {
	process
	options *commonOptions
}

// ask connects to containerd for a moment.
func (c completer) ask(fn func(context.Context, prune.Store) error) {
	if c.options.store.root != "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), completionTime)
	defer cancel()
	address, _, err := c.options.store.where(machineOf(c.getenv))
	if err != nil {
		return
	}
	store, err := prune.Open(ctx, address, prune.WithTimeout(completionTime/2))
	if err != nil {
		return // a completion has nowhere to report to
	}
	_ = fn(ctx, store)
	_ = store.Close()
}

func (c completer) namespaces() (names []string) {
	c.ask(func(ctx context.Context, store prune.Store) (err error) {
		names, err = store.Namespaces(ctx)
		return err
	})
	return typeable(names)
}

// images lists the names of the images that begin with what was typed, in the
// namespaces that were typed.
func (c completer) images(typed string) (names []string) {
	if !beginning.MatchString(typed) {
		return nil
	}
	c.each(func(ctx context.Context, store prune.Store) error {
		list, err := store.Images().List(ctx, namedLike(typed)...)
		for _, image := range list {
			names = append(names, spellings(image.Name, typed)...)
		}
		return err
	})
	return typeable(names)
}

// named completes the names of images.
func (c completer) named(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return c.images(typed), cobra.ShellCompDirectiveNoFileComp
}

// namedLike has the server choose the images, so that of a large store only
// what is offered is sent.
func namedLike(typed string) []string {
	if typed == "" {
		return nil
	}
	quoted := regexp.QuoteMeta(typed)
	return []string{
		"name~=" + strconv.Quote("^"+quoted),
		"name~=" + strconv.Quote("^docker\\.io/(library/)?"+quoted),
	}
}

// spellings are the ways to type an image's name that begin with what was
// typed: the way people know it, and in full.
func spellings(name, typed string) (all []string) {
	short := strings.TrimPrefix(strings.TrimPrefix(name, "docker.io/"), "library/")
	if strings.HasPrefix(short, typed) {
		all = append(all, short)
	}
	if short != name && typed != "" && strings.HasPrefix(name, typed) {
		all = append(all, name)
	}
	return all
}

// each asks about every namespace that was typed.
func (c completer) each(fn func(context.Context, prune.Store) error) {
	var policy prune.Policy
	if c.options.policy.scope(&policy, c.getenv) != nil {
		return
	}
	c.ask(func(ctx context.Context, store prune.Store) (err error) {
		if policy.AllNamespaces {
			if policy.Namespaces, err = store.Namespaces(ctx); err != nil {
				return err
			}
		}
		for _, ns := range policy.Namespaces {
			if err := fn(namespaces.WithNamespace(ctx, ns), store); err != nil {
				return err
			}
		}
		return nil
	})
}

// objects completes what can be explained: images as people know them, and
// containers.
func (c completer) objects(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || !beginning.MatchString(typed) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	c.each(func(ctx context.Context, store prune.Store) error {
		images, notImages := store.Images().List(ctx, namedLike(typed)...)
		for _, image := range images {
			names = append(names, spellings(image.Name, typed)...)
		}
		containers, notContainers := store.Containers().List(ctx, "id~="+strconv.Quote("^"+regexp.QuoteMeta(typed)))
		for _, container := range containers {
			names = append(names, container.ID)
		}
		return errors.Join(notImages, notContainers) // where one list is too long, the other may not be
	})
	slices.Sort(names)
	return typeable(slices.Compact(names)), cobra.ShellCompDirectiveNoFileComp
}

// runs completes the runs that can be undone. Their leases tell.
func (c completer) runs(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	found := make(map[string]bool)
	c.each(func(ctx context.Context, store prune.Store) error {
		list, err := store.Leases().List(ctx, "id~="+strconv.Quote("^"+leases.KindGrace.ID("")))
		for _, lease := range list {
			if run, ok := leases.GraceOf(lease); ok {
				found[run] = true
			}
		}
		return err
	})
	return typeable(slices.Sorted(maps.Keys(found))), cobra.ShellCompDirectiveNoFileComp
}

// filters completes first the key, then what is known of its values.
func (c completer) filters(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	prefixed := func(key string, values ...string) []string {
		for i := range values {
			values[i] = key + values[i]
		}
		return values
	}
	files := cobra.ShellCompDirectiveNoFileComp
	for _, key := range []string{"reference=", "reference!=", "id=", "before=", "since="} {
		if strings.HasPrefix(typed, key) {
			return prefixed(key, c.images(typed[len(key):])...), files
		}
	}
	switch {
	case strings.HasPrefix(typed, "dangling="):
		return prefixed("dangling=", "true", "false"), files
	case strings.HasPrefix(typed, "until="):
		return prefixed("until=", "24h", "72h", "1w", "2w"), files
	case strings.Contains(typed, "="):
		return nil, files
	}
	return offered(pruneFilters), files | cobra.ShellCompDirectiveNoSpace
}
