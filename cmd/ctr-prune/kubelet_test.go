package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

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
		"a certificate, no key":  {args: []string{"--pods", "https://n/pods", "--pods-client-certificate", "c"}, want: "need each other"},
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
