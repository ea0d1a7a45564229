package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority issues certificates, which it keeps in a folder.
type Authority struct {
	Pair
	tb   testing.TB
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Pair is the paths of a certificate and its key.
type Pair struct{ CertFile, KeyFile string }

// NewAuthority makes an authority of its own.
func NewAuthority(tb testing.TB, dir string) *Authority {
	tb.Helper()
	a := &Authority{tb: tb, dir: dir}
	a.cert = &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, Subject: pkix.Name{CommonName: "ca"}}
	a.key = a.newKey()
	a.Pair = a.issue("ca", a.cert, a.key)
	return a
}

// Server issues the certificate of a server of that name on the loopback address, or on
// others.
func (a *Authority) Server(name string, others ...net.IP) Pair {
	a.tb.Helper()
	return a.issue(name, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: append(others, net.IPv4(127, 0, 0, 1)),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.newKey())
}

// User issues the certificate of a user of the cluster with some groups.
func (a *Authority) User(name string, groups ...string) Pair {
	a.tb.Helper()
	return a.issue(name, &x509.Certificate{
		Subject:  pkix.Name{CommonName: name, Organization: groups},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a.newKey())
}

// Client is a client that trusts this authority and is a user with some groups.
func (a *Authority) Client(name string, groups ...string) *http.Client {
	a.tb.Helper()
	user := a.User(name, groups...)
	pair, err := tls.LoadX509KeyPair(user.CertFile, user.KeyFile)
	if err != nil {
		a.tb.Fatal(err)
	}
	return &http.Client{Transport: a.trusting(pair)}
}

// trusting is how one connects who trusts this authority, and has certificates or none.
func (a *Authority) trusting(own ...tls.Certificate) *http.Transport {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	// A connection to a server that was killed is not to be used again.
	return &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: own}}
}

func (a *Authority) newKey() *ecdsa.PrivateKey {
	a.tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.tb.Fatal(err)
	}
	return key
}

// issue signs a certificate and writes it and its key to files.
func (a *Authority) issue(name string, cert *x509.Certificate, key *ecdsa.PrivateKey) Pair {
	a.tb.Helper()
	cert.SerialNumber = big.NewInt(time.Now().UnixNano())
	cert.NotBefore, cert.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	signed, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.tb.Fatalf("signing the certificate of %s: %v", name, err)
	}
	if cert == a.cert { // so that others are issued by what is on the disk
		if a.cert, err = x509.ParseCertificate(signed); err != nil {
			a.tb.Fatal(err)
		}
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.tb.Fatal(err)
	}
	return Pair{a.write(name+".crt", "CERTIFICATE", signed), a.write(name+".key", "EC PRIVATE KEY", secret)}
}

func (a *Authority) write(name, kind string, der []byte) string {
	a.tb.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.tb.Fatal(err)
	}
	return path
}
