package htmlreport

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// knownLibrary is the checksum of the file as npm has it; see its README.
const knownLibrary = "971f374ce9fdbec711eb2358003e2bb755bff22ec6852dc5ebd59f987270db64"

func TestLibraryIsTheKnownOne(t *testing.T) {
	text, err := asset(library)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(text))); got != knownLibrary {
		t.Errorf("the checksum of %s is %s", library, got)
	}
	readme, err := asset("d3-hierarchy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(readme, knownLibrary) {
		t.Error("its README has another checksum")
	}
}

// TestEveryAssetIsUsed finds a script or style that was left out of the page.
func TestEveryAssetIsUsed(t *testing.T) {
	used := map[string]bool{"index.html": true}
	for _, name := range append(append([]string{}, scripts...), styles...) {
		used[name] = true
	}
	entries, err := fs.ReadDir(assets, "assets")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !entry.IsDir() && !used[entry.Name()] {
			t.Errorf("%s is not in the page", entry.Name())
		}
	}
}

// TestNoMarkupFromText holds the scripts to textContent: nothing may parse
// text as markup or as a program.
func TestNoMarkupFromText(t *testing.T) {
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function|setTimeout\(['"]|https?://`)
	for _, name := range scripts {
		text, err := asset(name)
		if err != nil {
			t.Fatal(err)
		}
		text = strings.ReplaceAll(text, "'http://www.w3.org/2000/svg'", "")
		if found := forbidden.FindString(text); found != "" {
			t.Errorf("%s has %s", name, found)
		}
	}
}
