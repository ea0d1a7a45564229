package policyfile

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// Reader says whose files are believed.
type Reader struct {
	trust.Judge
	// Insecure believes all.
	Insecure bool

	// sum is of all that is read.
	sum hash.Hash
}

// Read reads a policy file and the files that it names. Errors say which file
// they are about. The problems of a file are joined, each is a
// *[retention.Problem].
func (r Reader) Read(ctx context.Context, path string) (*retention.Policy, error) {
	r.sum = sha256.New()
	policy, err := r.read(ctx, path)
	if err != nil {
		return nil, err
	}
	r.sum.Sum(policy.Sum[:0])
	return policy, nil
}

func (r Reader) read(ctx context.Context, path string) (*retention.Policy, error) {
	text, err := r.readFile(ctx, path)
	if err != nil {
		return nil, err
	}
	policy, err := retention.Parse(path, text)
	if err != nil || len(policy.Protect.Files) == 0 {
		return policy, err
	}
	var patterns []retention.Pattern
	var errs []error
	for _, file := range policy.Protect.Files {
		found, err := r.patterns(ctx, beside(path, file.String()))
		patterns = append(patterns, found...)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return policy.Included(patterns)
}

// beside is a file that a policy file names, from the folder of that one.
func beside(policy, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(filepath.Dir(policy), file)
}

// patterns reads a file, or all files whose name fits. The folder has to be
// there: where it is missing so is what was to be protected. Whoever may remove a
// file from it could take away protection, so it is looked at like the files.
func (r Reader) patterns(ctx context.Context, file string) ([]retention.Pattern, error) {
	paths := []string{file}
	if strings.Contains(filepath.Base(file), "*") {
		var err error
		if paths, err = r.matching(ctx, file); err != nil {
			return nil, err
		}
	}
	var all []retention.Pattern
	var errs []error
	for _, path := range paths {
		text, err := r.readFile(ctx, path)
		if err == nil {
			var found []retention.Pattern
			found, err = retention.ParsePatterns(path, text)
			all = append(all, found...)
		}
		errs = append(errs, err)
	}
	return all, errors.Join(errs...)
}

// matching lists the files of a folder whose name fits, sorted. Hidden ones do
// not: editors leave some.
func (r Reader) matching(ctx context.Context, file string) ([]string, error) {
	dir, glob := filepath.Split(file)
	folder, err := r.open(ctx, filepath.Clean(dir))
	if err != nil {
		return nil, err
	}
	defer func() { _ = folder.Close() }() // it was only read
	entries, err := folder.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		if fits, err := filepath.Match(glob, e.Name()); err == nil && fits && !strings.HasPrefix(e.Name(), ".") {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// readFile reads a file that is to be believed.
func (r Reader) readFile(ctx context.Context, path string) ([]byte, error) {
	f, err := r.open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, retention.MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: reading it: %w", path, err)
	}
	_, _ = fmt.Fprintf(r.sum, "%q %d\n", path, len(text)) // a hash takes everything
	_, _ = r.sum.Write(text)
	return text, nil
}

// open opens a file or a folder that is to be believed.
func (r Reader) open(ctx context.Context, path string) (*trust.Opened, error) {
	f, err := trust.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	if r.Insecure {
		return f, nil
	}
	if err := r.File(f.File); err != nil {
		_ = f.Close() // nothing was read
		if refused, ok := errors.AsType[*trust.Refusal](err); ok {
			return nil, &cause.CodeError{Code: "policy-file-untrusted", Err: fmt.Errorf("%s: %w", path, refused)}
		}
		return nil, err
	}
	return f, nil
}
