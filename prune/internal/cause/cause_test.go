package cause_test

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
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// told is what a code says of some parts.
type told struct {
	parts *cause.Parts
	want  string
}

// reasons has an example of each reason.
func reasons() map[cause.Code]told {
	web, db := cause.User{Holder: cause.Holder{Kind: "container", ID: "1f00", Name: "web", Client: "nerdctl", State: "running"}}, cause.User{Holder: cause.Holder{Kind: "container", ID: "2f"}, ByChain: true}
	users, many := cause.Parts{Users: []cause.User{web, db}}, cause.Parts{Users: []cause.User{web}, More: 7}
	standIn := users
	standIn.Image = "<none>@x"
	image, because := cause.Parts{Image: `a"b`}, cause.Parts{Because: &cause.Cause{Reason: "so", ReasonCode: cause.CodeUnused}}
	together := because
	together.Image = "a"
	keeper := cause.Keeper{HolderCode: cause.HolderLease, HeldBy: graph.Object{Kind: "lease", Namespace: "x", Name: "l"}, HolderParts: &cause.Parts{LeaseKind: leases.KindPull}}.In("y")
	held, detail, blob := cause.Parts{Keeper: &keeper}, cause.Parts{Detail: "no"}, cause.Parts{Target: "sha256:a", Index: true}
	return map[cause.Code]told{
		cause.CodeUnused:         {nil, "unused"},
		cause.CodeRecordLabel:    {&cause.Parts{Label: "k=v"}, "its record has label k=v, but a filter asks for labels that the image was built with"},
		cause.CodeDangling:       {nil, "unused and dangling"},
		cause.CodeExpired:        {nil, "has expired, and nothing that is kept refers to it: the next garbage collection removes it"},
		cause.CodeInUse:          {&many, "in use by container web (nerdctl), running and 7 more"},
		cause.CodeLeaseHolds:     {&cause.Parts{Lease: "l"}, `held by lease "l"`},
		cause.CodeReferredBy:     {&held, `referred to by lease "l" (pull or build in progress) in namespace "x"`},
		cause.CodeRootLabel:      {&cause.Parts{Label: "k"}, "kept by its label k"},
		cause.CodePinned:         {&cause.Parts{Label: "k=v", Image: "a"}, `pinned by label k=v on "a"`},
		cause.CodeUnreadable:     {&detail, "no, so it may belong to an image that is kept"},
		cause.CodeStandsIn:       {&users, "stands in for an image in use by container web (nerdctl), running and container 2f, whose snapshot is based on it"},
		cause.CodeBelongsTo:      {&image, `belongs to "a\"b", which is kept`},
		cause.CodePartOf:         {&image, `is part of "a\"b", which is kept`},
		cause.CodeSubjectGoes:    {&image, `belongs to "a\"b", which is removed`},
		cause.CodeKeepsAlive:     {&image, `"a\"b", which is kept, exists only as long as this record`},
		cause.CodeKeepsWhole:     {&image, `"a\"b", which is kept, has all of its content only as long as this record exists`},
		cause.CodeReferredByKept: {&image, `referred to by "a\"b", which is kept`},
		cause.CodeTogether:       {&together, `CRI keeps the names of an image together, and "a" is kept: so`},
		cause.CodeStandIn:        {&standIn, `the name is removed and replaced by "<none>@x", because its image is in use by container web (nerdctl), running and container 2f, whose snapshot is based on it`},
		cause.CodeStandInTaken:   {&standIn, `its image is in use by container web (nerdctl), running and container 2f, whose snapshot is based on it, and its stand-in "<none>@x" names another image`},
		cause.CodeStandInExpired: {&standIn, `its image is in use by container web (nerdctl), running and container 2f, whose snapshot is based on it, and its stand-in "<none>@x" has expired`},
		cause.CodeBlocked:        {&detail, "the next garbage collection would remove what must be kept: no"},
		cause.CodeContentMissing: {nil, "its content is not in the store"},
		cause.CodeContentHeld:    {&held, `its content is held by lease "l" (pull or build in progress) in namespace "x"`},

		cause.CodeProtectedName:   {&cause.Parts{Filter: "a/*"}, "protected by the policy's pattern a/*"},
		cause.CodeProtectedLabel:  {&cause.Parts{Label: "k=v"}, "protected by the policy: its config has the label k=v"},
		cause.CodeProtectedUnread: {&detail, "the policy protects labels, and those of its config cannot be read: no"},
		cause.CodeMinAge:          {&cause.Parts{Filter: "3d", Time: tw.Noon}, "younger than the policy's minAge 3d, from 2026-11-21T12:00:00Z"},
		cause.CodeMinAgeUnknown:   {&cause.Parts{Filter: "3d"}, "its age cannot be read, and the policy's minAge is 3d"},
		cause.CodeNoRule:          {nil, "no rule of the policy matches it"},
		cause.CodeRuleAll:         {&cause.Parts{Rule: "a"}, `kept by rule "a"`},
		cause.CodeRuleLast:        {&cause.Parts{Rule: "a", Rank: 2, Ranked: 3, Repository: "x.io/a"}, `kept by rule "a": 2nd newest of 3 in x.io/a`},
		cause.CodeRuleWithin:      {&cause.Parts{Rule: "a", Filter: "3d", Time: tw.Noon}, `kept by rule "a": younger than 3d, from 2026-11-21T12:00:00Z`},
		cause.CodeRuleUsed:        {&cause.Parts{Rule: "a", Filter: "3d", Time: tw.Noon}, `kept by rule "a": used within 3d, last 2026-11-21T12:00:00Z`},
		cause.CodeRuleUnwatched:   {&cause.Parts{Rule: "a", Filter: "3d"}, `kept by rule "a": use within 3d cannot be excluded, because use is not watched`},
		cause.CodeRuleWatched:     {&cause.Parts{Rule: "a", Filter: "3d", Time: tw.Noon}, `kept by rule "a": use within 3d cannot be excluded, because use is watched only since 2026-11-21T12:00:00Z`},
		cause.CodeRuleAgeUnknown:  {&cause.Parts{Rule: "a"}, `kept by rule "a": its age cannot be read`},
		cause.CodeRuleGoes:        {&cause.Parts{Rule: "a", Rank: 11, Ranked: 12, Repository: "x.io/a"}, `unused, and not kept by rule "a": 11th newest of 12 in x.io/a`},
		cause.CodeRuleDepends:     {&cause.Parts{Rule: "a", Filter: "the newest"}, `rule "a" keeps the newest`},

		cause.CodeHistory:         {&cause.Parts{Command: "c"}, "this namespace holds build history; `c` frees it"},
		cause.CodeClientFailed:    {&detail, "no"},
		cause.CodeDockerNotAsked:  {&detail, "no"},
		cause.CodeDockerOffline:   {&detail, "no"},
		cause.CodeDockerMissing:   {&detail, "no"},
		cause.CodeDockerUntrusted: {&detail, "no"},
		cause.CodeDockerNotGone:   {&detail, "no"},
		cause.CodePodsEmpty:       {&detail, "no"},
		cause.CodePodsUntrusted:   {&detail, "no"},
		cause.CodePodsDenied:      {&detail, "no"},
		cause.CodePodsCertificate: {&detail, "no"},

		cause.CodeEnough:       {nil, "could go, but enough is freed without it"},
		cause.CodeFreesNothing: {nil, "could go, but that would free nothing of what has to be freed"},
		cause.CodeReserved:     {nil, "could go, but containerd would be left with less than the policy reserves for it"},
		cause.CodeShort: {&cause.Parts{Path: "/a b", Bytes: 3_200_000_000, Inodes: 70, Images: 2, Shares: []cause.Share{{Holder: cause.ShareOthers, Bytes: 14_000_000_000}, {Holder: cause.ShareContainers, Bytes: 1000}}},
			`not enough can be freed: 3.2GB and 70 inodes and 2 images more would have to go from the disk of "/a b"; what is left there: what is not containerd's 14GB, containers 1kB`},
		cause.CodeNotChosen:    {nil, "not in the plan file"},
		cause.CodeNotPlanned:   {nil, "the plan does not remove it"},
		cause.CodeNothing:      {nil, "there is nothing to remove"},
		cause.CodeGone:         {nil, "it is gone"},
		cause.CodeRemoved:      {nil, "somebody else has removed it since the plan was made"},
		cause.CodeMoved:        {nil, "it has been moved to another image since the plan was made"},
		cause.CodeRewritten:    {nil, "it has been updated since the plan was made"},
		cause.CodeRelabelled:   {nil, "its labels have changed since the plan was made"},
		cause.CodeNamesChanged: {nil, "the other names of its image have changed since the plan was made"},
		cause.CodeNeeded:       {&because, "since the plan was made: so"},
		cause.CodeTooLong:      {nil, "its name, labels and annotations are too long to be recorded, so it could not be restored"},
		cause.CodeTooMany:      {nil, "the plan has reached its maximum size: run again for the rest"},
		cause.CodeCRIUnknown:   {nil, "CRI could not be asked about it"},
		cause.CodeCRIShows:     {&cause.Parts{Name: "n", Detail: "no"}, `CRI would still show it as "n": no`},
		cause.CodeContentGone:  {nil, "its content is gone"},
		cause.CodeNameTaken:    {&cause.Parts{Target: "sha256:a"}, "the name is now taken by sha256:a"},
		cause.CodeNotPutBack:   {&detail, "no"},

		cause.CodeWrongSize:   {&cause.Parts{Detail: "0 bytes instead of 7"}, "it has 0 bytes instead of 7"},
		cause.CodeWrongDigest: {nil, "it has another digest"},

		cause.CodeBlobsUnseen:     {&detail, "the files of blobs and uploads were not checked: no"},
		cause.CodeSnapshotsUnseen: {&cause.Parts{Name: "zfs", Detail: "no"}, `the files of snapshotter "zfs" were not checked: no`},

		cause.CodeLatelyWritten: {&cause.Parts{AgeSeconds: 86400, Time: tw.Noon}, "last written to less than 24h ago"},
		cause.CodeAbandoned:     {&cause.Parts{Time: tw.Noon}, "abandoned: last written to at " + tw.Noon.UTC().Format(time.RFC3339)},

		cause.CodeLeaseExpired:      {nil, "expired: containerd no longer honours it"},
		cause.CodeLeaseExpiredSince: {nil, "expired since the leases were listed: containerd no longer honours it"},
		cause.CodeLeaseInterrupted:  {nil, "left by an interrupted run, which will be finished first"},
		cause.CodeLeaseRunning:      {nil, "a run is in progress"},
		cause.CodeLeaseUndo:         {nil, "holds what a run removed while that run is being undone; it expires by itself"},
		cause.CodeLeaseGrace:        {nil, "keeps what a run removed, so that it can be undone"},
		cause.CodeLeaseBuildkit:     {&cause.Parts{LeaseKind: leases.KindCache, Command: "c"}, "belongs to buildkit; `c` frees it"},
		cause.CodeLeaseDocker:       {&cause.Parts{Command: "c"}, "holds the files of a Docker container, running or stopped; `c` frees them"},
		cause.CodeLeaseMount:        {nil, "belongs to Docker, for an image mount or a build; it is removed together with the container or the build"},
		cause.CodeLeasePod:          {&cause.Parts{Name: "default/api"}, "belongs to pod default/api and is removed together with it"},
		cause.CodeLeasePull:         {nil, "a pull or build in progress, or one that was interrupted; it expires by itself"},
		cause.CodeLeaseOther:        {nil, "belongs to another client; only that client knows whether it is still needed"},

		cause.CodeNotKept:        {&cause.Parts{Run: "r", Namespace: "x"}, `run r keeps nothing in namespace "x" any more: its lease there was deleted, or what it removed was restored before, or it removed nothing`},
		cause.CodeRunning:        {&cause.Parts{Namespace: "default"}, `another run is in progress in namespace "default", so that the store changes while this is shown`},
		cause.CodeImageAbsent:    {&cause.Parts{Users: []cause.User{web}, Image: "a:1"}, `container web (nerdctl), running uses image "a:1", which is not in the store`},
		cause.CodeImageUnnamed:   {&cause.Parts{Users: []cause.User{web}}, "container web (nerdctl), running names no image and is based on none"},
		cause.CodeDockerNoImages: {&cause.Parts{Namespace: "moby"}, "namespace \"moby\" has no images, so Docker was not asked about it: if it keeps its images elsewhere, `docker image prune` removes them"},
		cause.CodeNotLoaded:      {&cause.Parts{Namespace: "x", Name: "zfs", Blobs: 3}, `images of namespace "x" (3) are unpacked in snapshotter "zfs", which containerd has not loaded: what is based on their snapshots, and their size, is unknown`},
		cause.CodeSilent:         {&cause.Parts{Name: "far", Names: []string{"a", "b"}, Detail: "refused"}, `snapshotter "far" does not answer, so its snapshots in 2 namespaces (a, b) are not counted: refused`},
		cause.CodeUnread:         {&cause.Parts{Namespace: "x", Detail: "too long"}, `namespace "x" could not be read, so all that it is known to have counts as held, and sizes are estimates: too long`},
		cause.CodeUnmeasured:     {&cause.Parts{Snapshots: 2, Objects: []graph.Object{{Kind: "snapshot", Namespace: "x", Name: "native/k"}}}, `snapshot native/k in namespace "x" and 1 more could not be measured, so sizes that include them are lower bounds`},
		cause.CodeLookalike:      {&cause.Parts{Label: "pinned=1", Image: "a:1", Command: "c"}, `label pinned=1 on "a:1" does not keep it, although it looks so; this does: c`},
		cause.CodeStillHeld:      {&cause.Parts{Target: "sha256:a", Namespace: "x", Snapshot: "native/k", Keeper: &keeper}, `snapshot native/k in namespace "x" was expected to be removed but is still there: held by lease "l" (pull or build in progress) in namespace "x"`},
		cause.CodeStillCollected: {&cause.Parts{Target: "sha256:a", Namespace: "x", Snapshot: "native/k"}, `snapshot native/k in namespace "x" was expected to be removed but is still there: nothing refers to it any more; a later garbage collection will remove it`},

		cause.CodeBlobMissing:   {&blob, "none of its platforms is complete; sha256:a is not in the store"},
		cause.CodeConfigMissing: {&blob, "none of its platforms is complete; its config sha256:a is not in the store"},
		cause.CodeLayerMissing:  {&blob, "none of its platforms is complete; its layer sha256:a is neither in the store nor unpacked"},
		cause.CodeAttestation:   {&blob, "none of its platforms is complete; sha256:a is an attestation, not an image that can run"},
		cause.CodeCircle:        {&blob, "none of its platforms is complete; sha256:a refers to itself"},
	}
}

// filtered has an example of each verdict of a filter.
func filtered() map[cause.Code]cause.Cause {
	examples := make(map[cause.Code]cause.Cause)
	until := filters.Verdict{Filter: "until=3d", Born: tw.Noon}
	add := func(code string, v filters.Verdict) {
		v.Code = code
		examples[cause.Code(code)] = cause.Unmatched(v)
	}
	for _, code := range []string{"younger", "newer", "in-future", "not-before", "not-since"} {
		add(code, until)
	}
	add("age-unknown", filters.Verdict{Filter: "until=3d"})
	add("not-dangling", filters.Verdict{})
	add("name-excluded", filters.Verdict{Filter: "reference!=a", Name: "a"})
	add("name-not-matched", filters.Verdict{Filter: "reference=a"})
	add("other-name", filters.Verdict{Filter: "reference=a", Name: "b"})
	add("labels-unreadable", filters.Verdict{Filter: "label=a", Problem: "no"})
	add("label-excluded", filters.Verdict{Filter: "label!=a", Label: "a=b"})
	add("label-missing", filters.Verdict{Filter: "label=a"})
	return examples
}

// Every code has its sentence.
func TestSentences(t *testing.T) {
	examples := reasons()
	for code := range cause.Sentences {
		c, known := examples[code]
		if got := (cause.Cause{ReasonCode: code, ReasonParts: c.parts}).Told().Reason; !known || got != c.want {
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
	codes := codesInSource(t, "../../..")
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
func checkParts(t *testing.T, code cause.Code, listed map[string][]string, example *cause.Parts) {
	t.Helper()
	var have map[string]json.RawMessage
	if err := json.Unmarshal(tw.Must(json.Marshal(example)), &have); err != nil {
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
	text := string(tw.Must(os.ReadFile("../../../docs/json.md")))
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
			found[tw.Must(strconv.Unquote(lit.Value))] = true
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
		if of, ok := n.Type.(*ast.SelectorExpr); ok {
			typ = of.Sel
		}
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
