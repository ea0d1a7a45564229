package kubelet

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"

	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// maxCredential is the limit on a file with a token, a key or certificates, in
// bytes.
const maxCredential = 16 << 20

// authorize adds the token. That of the service account is sent only over
// https, and may be missing.
func (s *Source) authorize(request *http.Request) error {
	if s.url.Scheme != "https" {
		return nil
	}
	path := s.opts.TokenFile
	if path == "" {
		path = filepath.Join(s.opts.account, "token")
	}
	token, err := trust.ReadFile(request.Context(), path, maxCredential)
	if s.opts.TokenFile == "" && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the token: %w", err)
	}
	token = bytes.TrimSpace(token)
	if len(token) == 0 {
		return fmt.Errorf("the token file %s is empty", path)
	}
	if bytes.ContainsAny(token, "\r\n") {
		return fmt.Errorf("the token file %s has more than one line", path)
	}
	request.Header.Set("Authorization", "Bearer "+string(token))
	return nil
}

// transport connects directly and ignores proxies, because the kubelet is on
// this node.
func (s *Source) transport(ctx context.Context) (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.opts.Insecure}
	if s.opts.CertFile != "" {
		pair, err := keyPair(ctx, s.opts.CertFile, s.opts.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("reading the client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	var err error
	if config.RootCAs, err = s.authorities(ctx); err != nil {
		return nil, err
	}
	return &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}, nil
}

func keyPair(ctx context.Context, certFile, keyFile string) (tls.Certificate, error) {
	cert, err := trust.ReadFile(ctx, certFile, maxCredential)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := trust.ReadFile(ctx, keyFile, maxCredential)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}

// authorities are the CA certificates of the file or, without one, those of the
// system and, in a pod, of the cluster; nil means only the system's.
func (s *Source) authorities(ctx context.Context) (*x509.CertPool, error) {
	path, pool := s.opts.CAFile, x509.NewCertPool()
	if path == "" {
		path = filepath.Join(s.opts.account, "ca.crt")
		if system, err := x509.SystemCertPool(); err == nil {
			pool = system
		}
	}
	text, err := trust.ReadFile(ctx, path, maxCredential)
	if s.opts.CAFile == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the certificate authority: %w", err)
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("there is no certificate in %s", path)
	}
	return pool, nil
}
