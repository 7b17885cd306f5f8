package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"time"
)

// minter makes tokens with the service's own key, so that each is wrong in one thing only.
type minter struct {
	key  *ecdsa.PrivateKey
	good string
}

// token is a good one taken apart.
type token struct {
	header, claims map[string]any
	key            *ecdsa.PrivateKey // nil: not signed
}

func newMinter(file, good string) (*minter, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM", file)
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return &minter{key, good}, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is not an EC key", file)
	}
	return &minter{ec, good}, nil
}

func (m *minter) take() (*token, error) {
	t := &token{key: m.key}
	parts := strings.Split(m.good, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("a token of %d parts", len(parts))
	}
	for i, into := range []*map[string]any{&t.header, &t.claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return nil, err
		}
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.UseNumber() // times must not turn into 1.7e9
		if err := decoder.Decode(into); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// shift moves all times.
func (t *token) shift(by time.Duration) {
	for _, name := range []string{"exp", "nbf", "iat"} {
		if at, ok := t.claims[name].(json.Number); ok {
			seconds, _ := at.Int64()
			t.claims[name] = seconds + int64(by/time.Second)
		} else if by > 0 {
			t.claims[name] = time.Now().Add(by).Unix()
		}
	}
}

func (t *token) String() string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(must(json.Marshal(t.header))) + "." + encode(must(json.Marshal(t.claims)))
	if t.key == nil {
		return signed + "."
	}
	if t.header["alg"] == "HS256" {
		public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(t.key.Public()))})
		mac := hmac.New(sha256.New, public)
		mac.Write([]byte(signed))
		return signed + "." + encode(mac.Sum(nil))
	}
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, t.key, digest[:])
	if err != nil {
		panic(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + encode(signature)
}

// minted comes with a token that was made and then changed; unchanged it is good.
func minted(change func(t *token)) func(*attacker) (question, crypto.PublicKey) {
	return func(a *attacker) (question, crypto.PublicKey) {
		t := must(a.minter.take())
		change(t)
		q, key := a.request(&x509.CertificateRequest{}, a.key)
		q.token = t.String()
		return q, key
	}
}
