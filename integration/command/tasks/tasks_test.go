package tasks_test

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// least is how many tasks there are at least.
const least = 20

// TestTasks does what the scripts in testdata say:
//
//	# QUESTION       what the user wants to know or do
//	stop             containerd does not run, ROOT is the folder of its store
//	$ COMMAND        a line of a shell, which ends with 0
//	$N COMMAND       one that ends with N
//	> TEXT           what it prints has this text
//	< TEXT           and does not have this
func TestTasks(t *testing.T) {
	files, err := filepath.Glob("testdata/*.task")
	if err != nil || len(files) < least {
		t.Fatalf("there are %d tasks, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".task"), func(t *testing.T) {
			t.Parallel()
			script, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer script.Close()
			newUser(t).do(bufio.NewScanner(script))
		})
	}
}

// do does a task. A user has called --help before.
func (u *user) do(script *bufio.Scanner) {
	u.Helper()
	u.command("$", "ctr-prune --help")
	answers := 0
	for n := 1; script.Scan(); n++ {
		sign, text, _ := strings.Cut(script.Text(), " ")
		last := u.said[len(u.said)-1]
		switch {
		case n == 1 && (sign != "#" || !strings.ContainsAny(text, "?.")):
			u.Fatalf("a task begins with a question: %s", script.Text())
		case sign == "#" || sign == "":
		case sign == "stop":
			u.daemon.Stop()
		case strings.HasPrefix(sign, "$"):
			u.Log("$ " + text)
			u.command(sign, text)
		case sign == ">":
			answers++
			if !strings.Contains(last, text) {
				u.Errorf("the answer lacks %q:\n%s", text, last)
			}
		case sign == "<":
			if strings.Contains(last, text) {
				u.Errorf("the answer has %q:\n%s", text, last)
			}
		default:
			u.Fatalf("line %d: %s", n, script.Text())
		}
	}
	if err := script.Err(); err != nil || answers == 0 {
		u.Errorf("the task expects no answer, %v", err)
	}
}

// command runs a line, of which all must be known, and remembers what it printed.
func (u *user) command(sign, line string) {
	u.Helper()
	for _, part := range regexp.MustCompile(`[|()"]`).Split(line, -1) {
		u.known(words(part))
	}
	want := 0
	if len(sign) > 1 {
		var err error
		want, err = strconv.Atoi(sign[1:])
		u.must(err)
	}
	said, code := u.run(strings.ReplaceAll(line, "ROOT", u.daemon.Root()))
	if code != want {
		u.Fatalf("%s: exit code %d, want %d:\n%s", line, code, want, said)
	}
	u.said = append(u.said, said)
	if path, ok := strings.CutSuffix(line, " --help"); ok {
		u.help[path] += said
	}
	if path, ok := strings.CutPrefix(line, "ctr-prune help --all"); ok {
		u.help["ctr-prune"+path] += said
	}
}

var quoted = regexp.MustCompile(`'[^']*'|[^\s']+`)

// words are the words of a command line, without quotes.
func words(line string) []string {
	all := quoted.FindAllString(line, -1)
	for i, word := range all {
		all[i] = strings.Trim(word, "'")
	}
	return all
}

// known fails the test for what a user could not know of a command: its name, its
// flags, and the keys of filters.
func (u *user) known(words []string) {
	u.Helper()
	if len(words) == 0 || words[0] != "ctr-prune" || len(words) > 1 && words[1] == "help" {
		return
	}
	path := words[0]
	for _, word := range words[1:] {
		switch name, _, _ := strings.Cut(word, "="); {
		case word == "--help":
		case strings.HasPrefix(word, "-") && word != "-":
			if !u.shown(path, name) {
				u.Errorf("nothing has said that %s has %s", path, name)
			}
		case regexp.MustCompile(`(?m)^  ` + regexp.QuoteMeta(word) + ` {2,}`).MatchString(u.help[path]):
			path += " " + word
		case filterKey.MatchString(word) && !strings.Contains(u.help[path], strings.Split(word, "=")[0]+"="):
			u.Errorf("nothing has said what %s is", word)
		}
	}
}

// filterKey matches the value of a filter.
var filterKey = regexp.MustCompile(`^[a-z]+!?=`)

// shown says whether the help of a command has shown a flag, or an answer a command
// line with it.
func (u *user) shown(path, flag string) bool {
	has := regexp.MustCompile(`(^|[\s,\x60])` + regexp.QuoteMeta(flag) + `\b`)
	for line := range strings.Lines(u.help[path]) {
		if has.MatchString(line) {
			return true
		}
	}
	for _, said := range u.said {
		for line := range strings.Lines(said) {
			if _, after, ok := strings.Cut(line, path+" "); ok && has.MatchString(after) {
				return true
			}
		}
	}
	return false
}

// A script may not use what was not shown.
func TestOnlyWhatWasShown(t *testing.T) {
	u := &user{help: map[string]string{"ctr-prune": "  -a, --all     every\n      --filter KEY=VALUE  see\n  df    Show\n"}, said: []string{"undo with `ctr-prune undo --now x`"}}
	for line, want := range map[string]bool{
		"ctr-prune -a": true, "ctr-prune --all df": true, "ctr-prune --grace 24h": false, "ctr-prune df --all": false,
		"ctr-prune undo --now x": true, "ctr-prune undo --later": false, "ctr-prune --filter label=x": false, "jq --raw": true,
	} {
		u.T = &testing.T{}
		if u.known(words(line)); u.Failed() == want {
			t.Errorf("%s: known is %v", line, !want)
		}
	}
}
