package kubelet

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// read returns the text of the whole list.
func (s *Source) read(ctx context.Context) ([]byte, error) {
	switch {
	case s.url != nil:
		return s.fetch(ctx)
	case s.stream != nil:
		return s.stream, nil
	}
	f, err := trust.Open(ctx, s.from)
	if err != nil {
		return nil, bare(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if err := s.believe(f.File); err != nil {
		return nil, err
	}
	text, err := capped(f, s.opts.limit)
	if err != nil {
		return nil, bare(err)
	}
	// A pipe can be read only once, but a run reads the list more than once.
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		s.stream = text
	}
	return text, nil
}

// believe refuses a file that another user could have written, because it
// decides what is in use.
func (s *Source) believe(f *os.File) error {
	if s.opts.InsecureFile {
		return nil
	}
	err := trust.Self().And(s.opts.Owner).File(f)
	if refused, ok := errors.AsType[*trust.Refusal](err); ok {
		return &prune.CodeError{Code: "pods-file-untrusted", Err: refused}
	}
	return err
}

// bare is the cause of a file error without the path, which is already in the
// message around it.
func bare(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// capped reads everything, and fails if that is more than limit bytes.
func capped(r io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("it is longer than %d bytes", limit)
	}
	return text, err
}

// fetch asks the kubelet within the time of one request. What arrives later is
// no answer, even if it is complete: a server that notices that the request is
// given up may still end it in good order, with an empty list.
func (s *Source) fetch(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.opts.Timeout, fmt.Errorf("there was no answer within %v", s.opts.Timeout))
	defer cancel()
	text, err := s.get(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return text, err
}

// get returns the body of a response that is a list. Redirects are refused,
// because they would send the token elsewhere.
func (s *Source) get(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if err := s.authorize(request); err != nil {
		return nil, err
	}
	transport, err := s.transport(ctx)
	if err != nil {
		return nil, err
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, cause(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, s.refusal(answer)
	}
	text, err := capped(answer.Body, s.opts.limit)
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", cause(err))
	}
	return text, nil
}

// cause is why a request failed, without the URL, which is already in the
// message around it.
func cause(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	return unverified(err)
}

// unverified tells what helps if the kubelet's certificate cannot be verified. One
// that it has made itself, as by default, is only for the name of its node, and
// verified with the file in which it is.
func unverified(err error) error {
	if wrong, ok := errors.AsType[x509.HostnameError](err); ok {
		names := slices.Clone(wrong.Certificate.DNSNames)
		for _, ip := range wrong.Certificate.IPAddresses {
			names = append(names, ip.String())
		}
		return &prune.CodeError{Code: "pods-certificate", Err: fmt.Errorf("its certificate is for %q and not for %q: use one of its names: %w", names, wrong.Host, err)}
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return &prune.CodeError{Code: "pods-certificate", Err: err}
	}
	return err
}

// refusal is the error for a response without a list; it says what to do.
func (s *Source) refusal(answer *http.Response) error {
	switch code := answer.StatusCode; {
	case code == http.StatusUnauthorized:
		return &prune.CodeError{Code: "pods-token-refused", Err: fmt.Errorf("the answer is %q: give a token that is accepted there and has not expired", answer.Status)}
	case code == http.StatusForbidden && strings.HasPrefix(s.url.Path, "/api/"):
		return fmt.Errorf("the answer is %q: the token's account needs the right to list pods in all namespaces", answer.Status)
	case code == http.StatusForbidden:
		return fmt.Errorf("the answer is %q: the token's account needs the right to get nodes/pods, or nodes/proxy of a kubelet before 1.33", answer.Status)
	case code >= 300 && code < 400:
		return fmt.Errorf("the answer is %q, and redirects are not followed", answer.Status)
	default:
		return fmt.Errorf("the answer is %q", answer.Status)
	}
}
