package prune

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/leases"
)

// The sentences that many tests expect.
var (
	reasonUnused      = plainly(codeUnused).Reason
	reasonExpired     = plainly(codeExpired).Reason
	leaseExpired      = plainly(codeLeaseExpired).Reason
	leaseExpiredSince = plainly(codeLeaseExpiredSince).Reason
)

// told is what a code says of some parts.
type told struct {
	parts *parts
	want  string
}

// reasons has an example of each reason.
func reasons() map[Code]told {
	web, db := user{Holder: Holder{Kind: "container", ID: "1f00", Name: "web", Client: "nerdctl", State: "running"}}, user{Holder{Kind: "container", ID: "2f"}, true}
	users, many := parts{Users: []user{web, db}}, parts{Users: []user{web}, More: 7}
	standIn := users
	standIn.Image = "<none>@x"
	image, because := parts{Image: `a"b`}, parts{Because: &Cause{Reason: "so", ReasonCode: codeUnused}}
	together := because
	together.Image = "a"
	keeper := Keeper{HolderCode: holderLease, HeldBy: Object{Kind: "lease", Namespace: "x", Name: "l"}, HolderParts: &parts{LeaseKind: leases.KindPull}}.in("y")
	held, detail, blob := parts{Keeper: &keeper}, parts{Detail: "no"}, parts{Target: "sha256:a", Index: true}
	return map[Code]told{
		codeUnused:         {nil, "unused"},
		codeDangling:       {nil, "unused and dangling"},
		codeExpired:        {nil, "has expired, and nothing that lives refers to it: any garbage collection removes it"},
		codeInUse:          {&many, "in use by container web (nerdctl), running and 7 more"},
		codeLeaseHolds:     {&parts{Lease: "l"}, `held by lease "l"`},
		codeReferredBy:     {&held, `referred to by lease "l" (pull or build in progress) in namespace "x"`},
		codeRootLabel:      {&parts{Label: "k"}, "kept by its label k"},
		codePinned:         {&parts{Label: "k=v", Image: "a"}, `pinned by label k=v on "a"`},
		codeUnreadable:     {&detail, "no, and so it may belong to an image that stays"},
		codeStandsIn:       {&users, "stands in for an image in use by container web (nerdctl), running and container 2f, whose snapshot stands on it"},
		codeBelongsTo:      {&image, `belongs to "a\"b", which stays`},
		codePartOf:         {&image, `is part of "a\"b", which stays`},
		codeSubjectGoes:    {&image, `belongs to "a\"b", which goes`},
		codeKeepsAlive:     {&image, `"a\"b", which stays, lives only while this record does`},
		codeReferredByKept: {&image, `referred to by "a\"b", which stays`},
		codeTogether:       {&together, `CRI keeps the names of an image together, and "a" stays: so`},
		codeStandIn:        {&standIn, `the name goes and "<none>@x" takes its place: its image is in use by container web (nerdctl), running and container 2f, whose snapshot stands on it`},
		codeStandInTaken:   {&standIn, `its image is in use by container web (nerdctl), running and container 2f, whose snapshot stands on it, and "<none>@x", which would take its place, is another image`},
		codeStandInExpired: {&standIn, `its image is in use by container web (nerdctl), running and container 2f, whose snapshot stands on it, and "<none>@x", which would take its place, has expired`},
		codeBlocked:        {&detail, "nothing is removed: no"},
		codeContentMissing: {nil, "its content is not in the store"},
		codeContentHeld:    {&held, `its content stays, held by lease "l" (pull or build in progress) in namespace "x"`},

		codeHistory:         {&parts{Command: "c"}, "build history is kept in this namespace; `c` frees it"},
		codeClientFailed:    {&detail, "no"},
		codeDockerNotAsked:  {&detail, "no"},
		codeDockerOffline:   {&detail, "no"},
		codeDockerMissing:   {&detail, "no"},
		codeDockerUntrusted: {&detail, "no"},
		codePodsEmpty:       {&detail, "no"},
		codePodsUntrusted:   {&detail, "no"},
		codePodsDenied:      {&detail, "no"},

		codeNotChosen:    {nil, "not in the plan file"},
		codeNotPlanned:   {nil, "the plan does not remove it"},
		codeNothing:      {nil, "nothing is to go"},
		codeGone:         {nil, "it is gone"},
		codeRemoved:      {nil, "somebody else removed it since the plan was made"},
		codeMoved:        {nil, "it was moved to another image since the plan was made"},
		codeRewritten:    {nil, "it was written again since the plan was made"},
		codeRelabelled:   {nil, "its labels were changed since the plan was made"},
		codeNamesChanged: {nil, "what else names its image has changed since the plan was made"},
		codeNeeded:       {&because, "since the plan was made: so"},
		codeTooLong:      {nil, "its name, labels and annotations are too long to be written down, so that it could not be put back"},
		codeTooMany:      {nil, "the plan of this run is as long as one may be: run again for the rest"},
		codeCRIUnknown:   {nil, "what CRI makes of it could not be learned"},
		codeCRIShows:     {&parts{Name: "n", Detail: "no"}, `CRI would go on showing it as "n": no`},
		codeContentGone:  {nil, "its content is gone"},
		codeNameTaken:    {&parts{Target: "sha256:a"}, "the name was taken meanwhile, by sha256:a"},
		codeNotPutBack:   {&detail, "no"},

		codeLatelyWritten: {&parts{AgeSeconds: 86400, Time: noon}, "last written to less than 24h0m0s ago"},
		codeAbandoned:     {&parts{Time: noon}, "abandoned: last written to at " + noon.UTC().Format(time.RFC3339)},

		codeLeaseExpired:      {nil, "expired: containerd no longer honours it"},
		codeLeaseExpiredSince: {nil, "expired since the leases were listed: containerd no longer honours it"},
		codeLeaseInterrupted:  {nil, "left by an interrupted run, which is finished first"},
		codeLeaseRunning:      {nil, "a run is under way"},
		codeLeaseUndo:         {nil, "holds what a run removed while it is undone; it expires by itself"},
		codeLeaseGrace:        {nil, "keeps what a run removed, so that it can be undone"},
		codeLeaseBuildkit:     {&parts{LeaseKind: leases.KindCache, Command: "c"}, "belongs to buildkit; `c` frees it"},
		codeLeaseDocker:       {&parts{Command: "c"}, "holds the files of a Docker container, running or stopped; `c` frees them"},
		codeLeaseMount:        {nil, "belongs to Docker, for an image mount or a build; it goes with the container or the build"},
		codeLeasePod:          {nil, "belongs to a pod of Kubernetes, and goes with it"},
		codeLeasePull:         {nil, "a pull or build in progress, or one that was interrupted; it expires by itself"},
		codeLeaseOther:        {nil, "belongs to another client, which alone knows whether it is needed"},

		codeBlobMissing:   {&blob, "none of its platforms is complete; sha256:a is not in the store"},
		codeConfigMissing: {&blob, "none of its platforms is complete; its config sha256:a is not in the store"},
		codeLayerMissing:  {&blob, "none of its platforms is complete; its layer sha256:a is neither in the store nor unpacked"},
		codeAttestation:   {&blob, "none of its platforms is complete; sha256:a is an attestation, which does not run"},
		codeCircle:        {&blob, "none of its platforms is complete; sha256:a refers to itself"},
	}
}

// filtered has an example of each verdict of a filter.
func filtered() map[Code]Cause {
	examples := make(map[Code]Cause)
	until := filters.Verdict{Filter: "until=3d", Born: noon, Now: noon.Add(time.Hour)}
	add := func(code string, v filters.Verdict) {
		v.Code = code
		examples[Code(code)] = unmatched(v)
	}
	for _, code := range []string{filters.Younger, filters.Newer, filters.InFuture} {
		add(code, until)
	}
	add(filters.AgeUnknown, filters.Verdict{Filter: "until=3d"})
	add(filters.NotDangling, filters.Verdict{})
	add(filters.NameExcluded, filters.Verdict{Filter: "reference!=a", Name: "a"})
	add(filters.NameNotMatched, filters.Verdict{Filter: "reference=a"})
	add(filters.NameBeside, filters.Verdict{Filter: "reference=a", Name: "b"})
	add(filters.LabelsUnknown, filters.Verdict{Filter: "label=a", Problem: "no"})
	add(filters.LabelExcluded, filters.Verdict{Filter: "label!=a", Label: "a=b"})
	add(filters.LabelMissing, filters.Verdict{Filter: "label=a"})
	return examples
}

// Every code has its sentence.
func TestSentences(t *testing.T) {
	examples := reasons()
	for code := range sentences {
		c, known := examples[code]
		if got := (Cause{ReasonCode: code, ReasonParts: c.parts}).told().Reason; !known || got != c.want {
			t.Errorf("%s:\n%s, want\n%s", code, got, c.want)
		}
	}
	for code, c := range filtered() {
		if c.Reason == "" {
			t.Errorf("%s says nothing", code)
		}
	}
}

// The list of codes in docs/json.md is that of the code, and the parts are what
// each has.
func TestCodesAreDocumented(t *testing.T) {
	listed := documented(t)
	codes := codesInSource(t, "..")
	if diff := cmp.Diff(codes, slices.Sorted(maps.Keys(listed))); diff != "" {
		t.Errorf("codes (-source +docs/json.md):\n%s", diff)
	}
	for code, c := range reasons() {
		checkParts(t, code, listed, c.parts)
	}
	for code, c := range filtered() {
		checkParts(t, code, listed, c.ReasonParts)
	}
}

// checkParts fails the test if an example has other parts than are listed. What
// may be absent is listed, too.
func checkParts(t *testing.T, code Code, listed map[string][]string, example *parts) {
	t.Helper()
	var have map[string]json.RawMessage
	if err := json.Unmarshal(must(json.Marshal(example)), &have); err != nil {
		t.Fatal(err)
	}
	for name := range have {
		if !slices.Contains(listed[string(code)], name) {
			t.Errorf("%s has %s, which is not listed", code, name)
		}
	}
	for _, name := range listed[string(code)] {
		optional := name == "more" || name == "users" || name == "holderParts"
		if _, has := have[name]; !has && !optional {
			t.Errorf("%s is listed with %s, and the example has none", code, name)
		}
	}
}

var codeRow = regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\| ([^|]*)\\| [^|]+ \\|$")

// documented reads the tables of codes: their parts, by code.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	text := string(must(os.ReadFile("../docs/json.md")))
	_, text, _ = strings.Cut(text, "\n## Reasons\n")
	text, _, _ = strings.Cut(text, "\n## Lines\n")
	listed := make(map[string][]string)
	for _, table := range strings.Split(text, "| code | parts | meaning |\n|---|---|---|\n")[1:] {
		rows, _, _ := strings.Cut(table, "\n\n")
		for _, row := range codeRow.FindAllStringSubmatch(rows, -1) {
			parts := []string{}
			for part := range strings.SplitSeq(strings.ReplaceAll(strings.TrimSpace(row[2]), "`", ""), ", ") {
				if part != "" {
					parts = append(parts, part)
				}
			}
			listed[row[1]] = append(listed[row[1]], parts...)
		}
	}
	return listed
}

// codesInSource lists all codes of the library: constants of the types Code and
// Problem, those of filters, and what errors are marked with.
func codesInSource(t *testing.T, root string) []string {
	t.Helper()
	found := make(map[string]bool)
	note := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			found[must(strconv.Unquote(lit.Value))] = true
		}
	}
	for _, dir := range []string{"filters", "prune"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool { noteCodes(n, filepath.Base(path), note); return true })
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func noteCodes(n ast.Node, file string, note func(ast.Expr)) {
	switch n := n.(type) {
	case *ast.ValueSpec:
		typ, _ := n.Type.(*ast.Ident)
		if typ != nil && (typ.Name == "Code" || typ.Name == "Problem") || file == "verdict.go" {
			for _, v := range n.Values {
				note(v)
			}
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "Code" || key.Name == "code") {
			note(n.Value)
		}
	}
}
