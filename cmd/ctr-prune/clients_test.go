package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// All commands that tell or do what a prune does can be told whom to ask, with
// the same flags: a new one that opens a store has to be put on a side here.
func TestCommandsThatDecideAskClients(t *testing.T) {
	var asks, opens []string
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		flags := c.Flags()
		switch docker, pods := flags.Lookup(flagDockerHost), flags.Lookup("pods"); {
		case (docker == nil) != (pods == nil):
			t.Errorf("%s asks only one of Docker and the kubelet", c.CommandPath())
		case docker != nil:
			asks = append(asks, c.CommandPath())
		case flags.Lookup("address") != nil:
			opens = append(opens, c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(process{}))
	slices.Sort(asks)
	slices.Sort(opens)
	want := []string{
		"ctr-prune", "ctr-prune apply", "ctr-prune browse", "ctr-prune check", "ctr-prune df", "ctr-prune explain", "ctr-prune leases prune", "ctr-prune plan", "ctr-prune serve",
	}
	if diff := cmp.Diff(want, asks); diff != "" {
		t.Errorf("commands that ask clients (-want +got):\n%s", diff)
	}
	// These decide about no image: they list leases and runs, or put back or
	// give up what a run has removed.
	want = []string{"ctr-prune leases", "ctr-prune runs", "ctr-prune runs drop", "ctr-prune undo"}
	if diff := cmp.Diff(want, opens); diff != "" {
		t.Errorf("commands that do not (-want +got):\n%s", diff)
	}
}

func TestPodsFlags(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string // of the error; none wanted if empty
		is   bool   // a source
	}{
		"none":                   {},
		"a URL":                  {args: []string{"--pods", "https://127.0.0.1:10250/pods"}, is: true},
		"a URL and how":          {args: []string{"--pods", "https://node:10250/pods", "--pods-token-file", "t", "--pods-insecure-skip-tls-verify"}, is: true},
		"a file":                 {args: []string{"--pods", "pods.json"}, is: true},
		"an empty variable":      {args: []string{"--pods", ""}, want: "neither a URL nor a file"},
		"empty or not":           {args: []string{"--pods", "pods.json", "--pods-may-be-empty"}, is: true},
		"empty, not from where":  {args: []string{"--pods-may-be-empty"}, want: "need --pods itself"},
		"how without what":       {args: []string{"--pods-token-file", "t"}, want: "need --pods itself"},
		"a token for a file":     {args: []string{"--pods", "pods.json", "--pods-token-file", "t"}, want: "is a file"},
		"another scheme":         {args: []string{"--pods", "unix:///run/kubelet.sock"}, want: "neither an http nor an https URL"},
		"a certificate, no key":  {args: []string{"--pods", "https://n/pods", "--pods-client-certificate", "c"}, want: "must be given together"},
		"contradicting checking": {args: []string{"--pods", "https://n/pods", "--pods-certificate-authority", "c", "--pods-insecure-skip-tls-verify"}, want: "contradict"},
	} {
		t.Run(name, func(t *testing.T) {
			var o clientOptions
			fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
			o.add(fs)
			if err := fs.Parse(test.args); err != nil {
				t.Fatal(err)
			}
			sources, err := o.sources(process{getenv: func(string) string { return "" }})
			if err != nil && sources != nil {
				t.Errorf("there are %d sources, and the error %v", len(sources), err)
			}
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want one with %q", err, test.want)
				}
				return
			}
			if err != nil || (len(sources) == 1) != test.is {
				t.Errorf("%d sources, error %v", len(sources), err)
			}
		})
	}
}

// An API server is asked for the pods of one node, and answers from its memory.
func TestWherePodsAreListed(t *testing.T) {
	env := map[string]string{"KUBERNETES_SERVICE_HOST": "fd00::1"}
	for source, want := range map[string]string{
		"kubelet":   "https://node-1:10250/pods",
		"apiserver": "https://[fd00::1]:443/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&resourceVersion=0",
		"none":      "", "file": "",
	} {
		if got := podsOf(source, "node-1", func(name string) string { return env[name] }); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
}
