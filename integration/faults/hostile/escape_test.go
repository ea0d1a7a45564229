package hostile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/net/html"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/prune"
)

// harmless is what a shell takes as it is, and no program as a flag.
var harmless = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@+-]*$`)

// completed asks for what a shell offers: only what can be typed.
func (h *host) completed() {
	for _, args := range [][]string{{"explain", ""}, {"-n", ""}, {"--filter", "reference="}, {"undo", ""}, {"drop", ""}} {
		r := h.run(append([]string{"__complete"}, args...)...).want(programs.ExitDone)
		for line := range strings.Lines(r.Stdout) {
			choice, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimRight(line, "\n"), "reference="), "\t")
			if !strings.HasPrefix(line, ":") && !harmless.MatchString(choice) {
				h.t.Errorf("%q offers %q", args, line)
			}
		}
	}
}

// pages reads HTML pages as a browser does: names stand in the data and
// nowhere else, and the scripts are those that the page allows.
func (h *host) pages() {
	for _, args := range [][]string{{"plan", "--all"}, {"df"}} {
		file := filepath.Join(h.t.TempDir(), "page.html")
		h.run(append(args, "--html", file)...).want(programs.ExitDone)
		text, err := os.ReadFile(file)
		h.must(err)
		root, err := html.Parse(bytes.NewReader(text))
		h.must(err)
		policy, scripts, data := "", 0, ""
		for n := range root.Descendants() {
			for _, a := range n.Attr {
				h.evil(n.Data+" "+a.Key, a.Val)
				if a.Key == "content" && strings.Contains(a.Val, "script-src") {
					policy = a.Val
				}
			}
			isData := n.Parent != nil && slices.Contains(n.Parent.Attr, html.Attribute{Key: "type", Val: "application/json"})
			switch {
			case n.Type == html.ElementNode:
				h.evil("an element", n.Data)
			case isData:
				data += n.Data
			default:
				h.evil("text", n.Data)
			}
			if n.Type == html.TextNode && n.Parent.Data == "script" && !isData {
				scripts++
				sum := sha256.Sum256([]byte(n.Data))
				if !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
					h.t.Errorf("a script that the policy does not allow: %.200q", n.Data)
				}
			}
		}
		if scripts != 2 || !strings.Contains(data, "evil.example") || strings.ContainsAny(data, "<>&\x1b\u202e\u2066\u200b\n") {
			h.t.Errorf("%d scripts; the data is %.300q", scripts, data)
		}
	}
}

func (h *host) evil(where, text string) {
	if strings.Contains(text, "evil.example") || strings.Contains(text, trap) {
		h.t.Errorf("a name is in %s: %.300q", where, text)
	}
}

// terminals runs what asks, and what is wide, on a terminal.
func (h *host) terminals() {
	for _, c := range []struct {
		args  []string
		types string
	}{
		{[]string{"--all"}, "d\nn\n"}, {[]string{"leases", "prune"}, "n\n"}, {[]string{"df", "-v"}, ""}, {[]string{"check"}, ""}, {[]string{"leases"}, ""}, {[]string{"runs"}, ""},
		{[]string{"explain", "--", evilNames()[0]}, ""}, {[]string{"undo", "--", "\x1b[31m"}, ""},
	} {
		seen := strings.ReplaceAll(h.onTerminal(c.types, c.args...), "\r\n", "\n") // the terminal's own
		programs.Result{Args: c.args, Stdout: seen}.Clean(h.t)
		if seen == "" {
			h.t.Errorf("%q shows nothing", c.args)
		}
	}
}

// onTerminal runs the command on a terminal into which a text was typed, and
// returns what is seen there.
func (h *host) onTerminal(types string, args ...string) string {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), tooLong)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, h.at(args)...)
	cmd.Env, cmd.Dir = append(environment(), "PAGER=cat"), h.t.TempDir()
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 90})
	h.must(err)
	defer tty.Close()
	_, err = io.WriteString(tty, types)
	h.must(err)
	seen, err := io.ReadAll(tty)
	if err != nil && !errors.Is(err, syscall.EIO) { // which is how a terminal ends
		h.t.Fatal(err)
	}
	_ = cmd.Wait() // a question that is answered with no, and a check that finds something, end differently
	return string(seen)
}

// offered finds the commands in a text that it offers to its reader.
var offered = regexp.MustCompile("`((?:ctr-prune|ctr|docker) [^`]*)`")

// commands gives every command that the tool offered to a shell, in which the
// programs only write down what they were given.
func (h *host) commands(texts []string) {
	h.t.Helper()
	var all []string
	for _, text := range texts {
		for _, m := range offered.FindAllStringSubmatch(text, -1) {
			all = append(all, m[1])
		}
	}
	for _, f := range parsed[struct{ Findings []prune.Finding }](h.run("check", "--format", "json")).Findings {
		if strings.HasPrefix(f.Fix, "ctr") {
			first, _, _ := strings.Cut(f.Fix, ", or ")
			all = append(all, first)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	dir := h.t.TempDir()
	for _, name := range []string{"ctr", "ctr-prune", "docker"} {
		h.must(os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nfor a; do echo \"$a\"; done\n"), 0o755))
	}
	for _, command := range all {
		cmd := exec.CommandContext(h.t.Context(), "/bin/sh", "-c", command)
		cmd.Env, cmd.Dir = []string{"PATH=" + dir + ":/usr/bin:/bin"}, dir
		out, err := cmd.CombinedOutput()
		h.must(err)
		for line := range strings.Lines(string(out)) {
			if word := strings.TrimSuffix(line, "\n"); !harmless.MatchString(word) && !regexp.MustCompile(`^--?[a-z]+(=[0-9a-z]+)?$`).MatchString(word) {
				h.t.Errorf("%q gives a program %q", command, word)
			}
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "trapped*")); err != nil || len(left) > 0 || len(all) == 0 {
		h.t.Errorf("of %d commands one ran what a name says: %q, %v", len(all), left, err)
	}
}
