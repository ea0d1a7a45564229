package kubelet

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
)

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
	token, err := os.ReadFile(path)
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
func (s *Source) transport() (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.opts.Insecure}
	if s.opts.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(s.opts.CertFile, s.opts.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("reading the client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	var err error
	if config.RootCAs, err = s.authorities(); err != nil {
		return nil, err
	}
	return &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}, nil
}

// authorities are the CA certificates of the file or, without one, those of the
// system and, in a pod, of the cluster; nil means only the system's.
func (s *Source) authorities() (*x509.CertPool, error) {
	path, pool := s.opts.CAFile, x509.NewCertPool()
	if path == "" {
		path = filepath.Join(s.opts.account, "ca.crt")
		if system, err := x509.SystemCertPool(); err == nil {
			pool = system
		}
	}
	text, err := os.ReadFile(path)
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
