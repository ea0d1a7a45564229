package cluster

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Access is how a server is reached. What is in files is read for each request,
// because tokens and authorities are renewed.
type Access struct {
	// URL is that of the server, without a path.
	URL string
	// TokenFile and CAFile are the paths of a bearer token and of the authorities that
	// verify the server; those of the pod's service account if they are empty.
	TokenFile, CAFile string
	// Insecure skips the verification.
	Insecure bool

	// account is the folder of the service account; tests change it.
	account string
}

const (
	// serviceAccount is the folder with a pod's own credentials.
	serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"
	// answerTime is how long an answer may take, maxAnswer how many bytes are read.
	answerTime = 10 * time.Second
	maxAnswer  = 1 << 20
)

// errNotFound says that a server does not have what was asked for.
var errNotFound = errors.New("it is not there")

// do sends a request, and decodes the answer into an object, if that is not nil. An
// error is one sentence.
func (a Access) do(ctx context.Context, method, path, kind string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, a.URL+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", kind)
	}
	said, err := a.send(request)
	if err != nil || into == nil {
		return err
	}
	if err := json.Unmarshal(said, into); err != nil {
		return fmt.Errorf("the answer of %s is not understood: %w", a.URL+path, err)
	}
	return nil
}

// send returns what a server answers that has done what it was asked for.
func (a Access) send(request *http.Request) ([]byte, error) {
	if err := a.authorize(request); err != nil {
		return nil, err
	}
	transport, err := a.transport()
	if err != nil {
		return nil, err
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err
		}
		return nil, fmt.Errorf("asking %s: %w", request.URL.Redacted(), err)
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch code := answer.StatusCode; {
	case err != nil:
		return nil, fmt.Errorf("reading the answer of %s: %w", request.URL.Redacted(), err)
	case code == http.StatusNotFound:
		return nil, fmt.Errorf("%s answers %q: %w", request.URL.Redacted(), answer.Status, errNotFound)
	case code < 200 || code > 299:
		return nil, fmt.Errorf("%s answers %q%s", request.URL.Redacted(), answer.Status, because(text))
	}
	return text, nil
}

// because is what an API server says about a refusal.
func because(text []byte) string {
	var status struct{ Message string }
	if json.Unmarshal(text, &status) != nil || status.Message == "" {
		return ""
	}
	const most = 300
	return ": " + strings.ReplaceAll(status.Message[:min(most, len(status.Message))], "\n", " ")
}

// authorize adds the token. Without https nobody gets one.
func (a Access) authorize(request *http.Request) error {
	if request.URL.Scheme != "https" {
		return fmt.Errorf("%s is no https URL, and a token is for nobody else on the way", request.URL.Redacted())
	}
	path := cmp.Or(a.TokenFile, filepath.Join(a.folder(), "token"))
	token, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the token: %w", err)
	}
	if token = bytes.TrimSpace(token); len(token) == 0 || bytes.ContainsAny(token, "\r\n") {
		return fmt.Errorf("the token file %s has no token, or more than one line", path)
	}
	request.Header.Set("Authorization", "Bearer "+string(token))
	return nil
}

func (a Access) folder() string { return cmp.Or(a.account, serviceAccount) }

// transport connects directly, because both servers are near.
func (a Access) transport() (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: a.Insecure} //nolint:gosec // the user asks for it
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	path := cmp.Or(a.CAFile, filepath.Join(a.folder(), "ca.crt"))
	text, err := os.ReadFile(path)
	switch {
	case err == nil && !pool.AppendCertsFromPEM(text):
		return nil, fmt.Errorf("there is no certificate in %s", path)
	case err != nil && (a.CAFile != "" || !errors.Is(err, fs.ErrNotExist)):
		return nil, fmt.Errorf("reading the certificate authority: %w", err)
	}
	config.RootCAs = pool
	return &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}, nil
}
