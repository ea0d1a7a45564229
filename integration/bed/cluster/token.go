package cluster

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"strings"
	"time"
)

// leeway is how long after its end the API server still takes a token, because clocks differ.
const leeway = time.Minute

// Expiring returns a token of a service account that is taken for so long: shorter than
// those that the API server issues. It has its key.
func (p *Plane) Expiring(namespace, account string, life time.Duration) string {
	p.tb.Helper()
	parts := strings.Split(p.TokenOf(namespace, account), ".")
	claims := make(map[string]any)
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(text, &claims)
	}
	end := time.Now().Add(life - leeway)
	claims["exp"], claims["iat"], claims["nbf"] = end.Unix(), end.Add(-time.Hour).Unix(), end.Add(-time.Hour).Unix()
	text, failed := json.Marshal(claims)
	key, unread := p.signingKey()
	if err := errors.Join(err, failed, unread); err != nil {
		p.tb.Fatalf("making a token of service account %s: %v", account, err)
	}
	signed := parts[0] + "." + base64.RawURLEncoding.EncodeToString(text)
	hash := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, hash[:])
	if err != nil {
		p.tb.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...) // RFC 7518, 3.4
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (p *Plane) signingKey() (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(p.signing)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	return x509.ParseECPrivateKey(block.Bytes)
}
