package text

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune"
)

// What is advised on is a code that docs/json.md lists.
func TestAdviceIsOnCodesThatExist(t *testing.T) {
	list, err := os.ReadFile("../../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	for code := range advice {
		if !strings.Contains(string(list), "\n| `"+string(code)+"` |") {
			t.Errorf("there is no code %s", code)
		}
	}
	for problem, fix := range fixes {
		if !strings.Contains(string(list), "\n| `"+string(problem)+"` |") || fix("ns") == "" {
			t.Errorf("there is no problem %s", problem)
		}
	}
}

// The library knows no flags and no commands of this program: it gives codes.
func TestLibrarySaysNoFlags(t *testing.T) {
	others := regexp.MustCompile(`^"(--config|--c|buildctl .*|docker .*)"$`) // containerd's own, and commands of other programs
	said := regexp.MustCompile("(^|[^-[:alnum:]])--[a-z]|`ctr-prune|ctr-prune (check|leases|runs|undo|apply|df|explain) ")
	for _, dir := range []string{"filters", "leases", "prune"} {
		err := filepath.WalkDir(filepath.Join("../../..", dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if ok && lit.Kind == token.STRING && said.MatchString(lit.Value[1:]) && !others.MatchString(lit.Value) {
					t.Errorf("%s says %s", path, lit.Value)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A sentence ends with what helps, once, whether the code is its own, that of
// the holder it names, or of the reason that it quotes.
func TestAdvise(t *testing.T) {
	grace := prune.Keeper{Holder: "the grace of run r", HolderCode: "grace"}
	asked := prune.Cause{Reason: "Docker was not asked", ReasonCode: "docker-not-asked"}
	doc := prune.Document{
		Images:  []prune.ImageDocument{{Cause: asked, Details: []prune.Cause{{Reason: "no", ReasonCode: "content-missing"}}}},
		Refused: []prune.Refusal{{Namespace: "moby", Cause: asked}},
		Held:    []prune.Held{{Keeper: grace}, {Keeper: prune.Keeper{Holder: "image \"a\"", HolderCode: "image"}}},
		Errors:  []prune.Cause{{Reason: "full", ReasonCode: "disk-full"}, {Reason: "other", ReasonCode: "not-deleted"}},
	}
	doc = Advise(doc)
	for got, want := range map[string]string{
		doc.Images[0].Reason:            "Docker was not asked; give Docker's socket with --docker-host, or --docker-gone if there is no Docker any more",
		doc.Images[0].Details[0].Reason: "no",
		doc.Refused[0].Error():          `nothing is removed from namespace "moby": Docker was not asked; give Docker's socket with --docker-host, or --docker-gone if there is no Docker any more`,
		doc.Held[0].Holder:              "the grace of run r; `ctr-prune runs drop` frees it",
		doc.Held[1].Holder:              `image "a"`,
		doc.Errors[0].Reason:            "full; --no-guard prunes without them, most safely with containerd stopped and --root",
		doc.Errors[1].Reason:            "other",
	} {
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// A reason that quotes another, or names a holder, is advised on as that is.
func TestAdviceOnWhatACauseNames(t *testing.T) {
	for text, want := range map[string]string{
		`{"reason":"a","reasonCode":"needed","reasonParts":{"because":{"reason":"b","reasonCode":"docker-socket-untrusted"}}}`: ", or accept it with --allow-insecure-socket",
		`{"reason":"a","reasonCode":"content-held","reasonParts":{"holder":"b","holderCode":"grace"}}`:                         "; `ctr-prune runs drop` frees it",
		`{"reason":"a","reasonCode":"in-use","reasonParts":{"users":[{"kind":"container"}]}}`:                                  "",
	} {
		var c prune.Cause
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		if got := adviceOn(c); got != want {
			t.Errorf("%s: got %q", text, got)
		}
	}
}

// What fixes a finding is a command of this program where there is one.
func TestAdviseFindings(t *testing.T) {
	found := AdviseFindings([]prune.Finding{
		{Problem: prune.ProblemOldUpload, Namespace: "ns", Fix: "a repair"}, {Problem: prune.ProblemPhantom, Fix: "restart containerd"},
	})
	if found[0].Fix != "ctr-prune -n ns --ingests=24h" || found[1].Fix != "restart containerd" {
		t.Errorf("%+v", found)
	}
}
