package docs

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile("../../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEveryFieldIsDocumented holds docs/json.md to the document, down to the
// fields of its lists.
func TestEveryFieldIsDocumented(t *testing.T) {
	text := read(t, "docs/json.md")
	names := keys(reflect.TypeFor[prune.Document](), make(map[reflect.Type]bool), nil)
	for _, key := range names {
		if !strings.Contains(text, "`"+key+"`") && !strings.Contains(text, "`"+key+"[]`") {
			t.Errorf("docs/json.md does not tell of the field %q", key)
		}
	}
}

// Who builds it is told which Go that takes.
func TestReadmeNamesGo(t *testing.T) {
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "go.mod"))
	if version == nil || !strings.Contains(read(t, "README.md"), "Go "+version[1]) {
		t.Errorf("README.md does not name Go %v", version)
	}
}

// keys lists the names that a type's fields have in JSON. A type that was seen
// is not looked at again: a reason may have a reason.
func keys(t reflect.Type, seen map[reflect.Type]bool, found []string) []string {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.PkgPath() == "time" || seen[t] {
		return found
	}
	seen[t] = true
	for i := range t.NumField() {
		field := t.Field(i)
		key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if key != "" && key != "-" && !slices.Contains(found, key) {
			found = append(found, key)
		}
		if field.IsExported() {
			found = keys(field.Type, seen, found)
		}
	}
	return found
}

// flag is a long flag as manual pages and Markdown write it.
var flag = regexp.MustCompile(`\s--([a-z][a-z-]+)|[^-]--([a-z][a-z-]+)`)

// TestEveryFlagIsDocumented compares the README with the manual page, which
// `make man-check` compares with the command.
func TestEveryFlagIsDocumented(t *testing.T) {
	page, readme := flags(read(t, "docs/man/ctr-prune.1")), flags(read(t, "README.md"))
	for name := range page {
		if !readme[name] {
			t.Errorf("the README does not tell of --%s", name)
		}
	}
}

func flags(text string) map[string]bool {
	all := make(map[string]bool)
	text = strings.NewReplacer(`\fB`, " ", `\fP`, " ", "`", " ").Replace(text)
	for _, m := range flag.FindAllStringSubmatch(text, -1) {
		all[m[1]+m[2]] = true
	}
	return all
}
