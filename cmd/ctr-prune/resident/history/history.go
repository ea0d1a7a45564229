// Package history keeps the reports of the last runs of a resident in the folder of
// its state.
package history

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/privatefile"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/rounds"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Keep is how many reports are kept.
const Keep = 50

// Schema is the version of [Entry]. Fields may be added without a new one.
const Schema = 1

// Entry is a run with its report.
type Entry struct {
	SchemaVersion int    `json:"schemaVersion"`
	Kind          string `json:"kind"`
	// Run names the run. It is also the one of ctr-prune undo, if the run has a
	// grace.
	Run     string    `json:"run"`
	Trigger string    `json:"trigger"`
	Result  string    `json:"result"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	// Error is why there is no report.
	Error string `json:"error,omitempty"`
	// Pressure is what each round of a run under pressure did, absent of others.
	Pressure *rounds.Summary `json:"pressure,omitempty"`
	// Document is the report, of all rounds, or the plan of a dry run. It has no
	// images that were to be kept, only their count.
	Document *prune.Document `json:"document,omitempty"`
}

// Folder is where the reports are.
type Folder struct{ dir string }

// In is the folder in that of a state.
func In(state string) Folder { return Folder{filepath.Join(state, "reports")} }

const suffix = ".json"

// Add writes an entry, and removes the oldest beyond [Keep].
func (f Folder) Add(e Entry) error {
	e.SchemaVersion, e.Kind = Schema, "history"
	if e.Document != nil {
		e.Document = shortened(*e.Document)
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(f.dir, e.Run+suffix)
	err := privatefile.Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(e) })
	if err != nil {
		return fmt.Errorf("keeping the report of run %s: %w", e.Run, err)
	}
	return f.trim(e.Run)
}

// shortened leaves out the images that are kept: on a large node they are nearly
// all.
func shortened(doc prune.Document) *prune.Document {
	images := []prune.ImageDocument{}
	for _, image := range doc.Images {
		if image.Action != prune.Keep {
			images = append(images, image)
		}
	}
	doc.Images = images
	return &doc
}

// trim removes the oldest. What is of a later time than the one that was just added is
// older: somebody has set the clock back since.
func (f Folder) trim(added string) error {
	names, err := f.names()
	if err != nil {
		return err
	}
	ahead := slices.Index(names, added+suffix)
	names = append(slices.Clone(names[max(0, ahead):]), names[:max(0, ahead)]...)
	var errs []error
	for _, name := range names[min(Keep, len(names)):] {
		errs = append(errs, os.Remove(filepath.Join(f.dir, name)))
	}
	return errors.Join(errs...)
}

// names are those of the files, the newest run first: runs are named by their time.
func (f Folder) names() ([]string, error) {
	entries, err := os.ReadDir(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(b, a) })
	return names, nil
}

// List returns the entries, newest first, without those that cannot be read; the
// error is about these.
func (f Folder) List() ([]Entry, error) {
	names, err := f.names()
	if err != nil {
		return nil, err
	}
	entries := []Entry{}
	var errs []error
	for _, name := range names {
		e, err := f.read(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		entries = append(entries, e)
	}
	return entries, errors.Join(errs...)
}

func (f Folder) read(name string) (e Entry, err error) {
	text, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return e, fmt.Errorf("%s: %w", filepath.Join(f.dir, name), err)
	}
	if e.SchemaVersion != Schema {
		return e, fmt.Errorf("%s: its schema version is %d, and only %d is known", filepath.Join(f.dir, name), e.SchemaVersion, Schema)
	}
	return e, nil
}
