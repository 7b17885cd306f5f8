package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"
)

const hello = "spiffe://cluster.local/ns/default/sa/hello"

// office is an authority as small as can be, for the judge to be judged.
type office struct {
	key  *ecdsa.PrivateKey
	root *x509.Certificate
}

func pemOf(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, parent, public, key))))
}

func newOffice(name string) *office {
	key := must(newKey("p256")).(*ecdsa.PrivateKey)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{name}}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(1000 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	return &office{key, sign(template, template, key.Public(), key)}
}

func leafTemplate() *x509.Certificate {
	return &x509.Certificate{SerialNumber: new(big.Int).Lsh(big.NewInt(5), 120), URIs: []*url.URL{must(url.Parse(hello))}, NotBefore: time.Now().Add(-2 * time.Minute),
		NotAfter: time.Now().Add(24 * time.Hour), BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
}

func TestJudge(t *testing.T) {
	a, b, key := newOffice("a"), newOffice("b"), must(newKey("p256"))
	rows := []struct {
		name   string
		change func(c *x509.Certificate)
		fault  string // part of what is said; empty: nothing is wrong
	}{
		{"as it should be", func(*x509.Certificate) {}, ""},
		{"another name", func(c *x509.Certificate) { c.URIs[0] = must(url.Parse(hello + "x")) }, "URIs"},
		{"two names", func(c *x509.Certificate) { c.URIs = append(c.URIs, c.URIs[0]) }, "URIs"},
		{"a host name too", func(c *x509.Certificate) { c.DNSNames = []string{"x"} }, "other names"},
		{"a subject", func(c *x509.Certificate) { c.Subject.CommonName = "x" }, "subject"},
		{"an authority", func(c *x509.Certificate) { c.IsCA = true }, "not CA:FALSE"},
		{"one use more", func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign }, "key usage"},
		{"for servers only", func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] }, "extended key usage"},
		{"a day too long", func(c *x509.Certificate) { c.NotAfter = c.NotAfter.Add(24 * time.Hour) }, "lives"},
		{"too short", func(c *x509.Certificate) { c.NotAfter = c.NotAfter.Add(-time.Hour) }, "lives"},
		{"a small serial number", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(7) }, "serial number"},
		{"from now on", func(c *x509.Certificate) { c.NotBefore = time.Now() }, "notBefore"},
	}
	for _, row := range rows {
		template := leafTemplate()
		row.change(template)
		chain := []*x509.Certificate{sign(template, a.root, key.Public(), a.key), a.root}
		check(t, row.name, judge(chain, expectation{id: hello, key: key.Public(), ttl: 24 * time.Hour}), row.fault)
	}
	good := sign(leafTemplate(), a.root, key.Public(), a.key)
	want := expectation{id: hello, key: key.Public(), ttl: 24 * time.Hour}
	check(t, "another key", judge([]*x509.Certificate{good, a.root}, expectation{id: hello, key: b.key.Public(), ttl: 24 * time.Hour}), "another public key")
	check(t, "another root", judge([]*x509.Certificate{good, b.root}, want), "none of the roots")
	check(t, "two roots", judge([]*x509.Certificate{good, b.root, a.root}, want), "")
	for name, blocks := range map[string][]string{"no root": {pemOf(good)}, "two in one": {pemOf(good) + pemOf(a.root), pemOf(a.root)}, "not PEM": {"x", "y"}} {
		if _, err := parseChain(blocks); err == nil {
			t.Errorf("%s: taken for a chain", name)
		}
	}
}

func check(t *testing.T, name string, fault error, want string) {
	t.Helper()
	if (fault == nil) != (want == "") || fault != nil && !strings.Contains(fault.Error(), want) {
		t.Errorf("%s: got %v, want %q", name, fault, want)
	}
}
