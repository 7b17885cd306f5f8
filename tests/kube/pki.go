package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type pair struct {
	cert *x509.Certificate
	key  crypto.Signer
}

type pki struct {
	dir   string
	ca    pair
	token string
}

func (p *pki) path(n string) string { return filepath.Join(p.dir, n) }

// makePKI finds or makes in dir: ca, apiserver, admin, front-proxy-ca, front-proxy-client (.crt, .key),
// sa.key and sa.pub, tokens.csv (a user 'admin' in system:masters, and a user 'nobody' in no group).
func makePKI(dir string) (*pki, error) {
	p := &pki{dir: dir}
	var err error
	if p.ca, err = p.pair("ca", nil, &x509.Certificate{Subject: pkix.Name{CommonName: "kube-ca"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}); err != nil {
		return nil, err
	}
	fp, err := p.pair("front-proxy-ca", nil, &x509.Certificate{Subject: pkix.Name{CommonName: "kube-front-proxy-ca"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature})
	if err != nil {
		return nil, err
	}
	client := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if _, err = p.pair("apiserver", &p.ca, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback, net.IPv4(10, 96, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}); err != nil {
		return nil, err
	}
	if _, err = p.pair("admin", &p.ca, &x509.Certificate{Subject: pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}}, ExtKeyUsage: client}); err != nil {
		return nil, err
	}
	if _, err = p.pair("front-proxy-client", &fp, &x509.Certificate{Subject: pkix.Name{CommonName: "front-proxy-client"}, ExtKeyUsage: client}); err != nil {
		return nil, err
	}
	if _, err := os.Stat(p.path("sa.pub")); err != nil {
		// RSA, as in most clusters: the tokens are RS256.
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		if err := p.writePEM("sa.key", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k), 0o600); err != nil {
			return nil, err
		}
		b, err := x509.MarshalPKIXPublicKey(k.Public())
		if err != nil {
			return nil, err
		}
		if err := p.writePEM("sa.pub", "PUBLIC KEY", b, 0o644); err != nil {
			return nil, err
		}
	}
	b, err := os.ReadFile(p.path("tokens.csv"))
	if err != nil {
		b = []byte(token() + ",admin,admin,\"system:masters\"\n" + token() + ",nobody,nobody\n")
		if err := os.WriteFile(p.path("tokens.csv"), b, 0o600); err != nil {
			return nil, err
		}
	}
	p.token, _, _ = strings.Cut(string(b), ",")
	return p, nil
}

func token() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

func (p *pki) pair(name string, by *pair, t *x509.Certificate) (pair, error) {
	if c, err := os.ReadFile(p.path(name + ".crt")); err == nil {
		k, err := os.ReadFile(p.path(name + ".key"))
		if err != nil {
			return pair{}, err
		}
		cb, _ := pem.Decode(c)
		kb, _ := pem.Decode(k)
		if cb == nil || kb == nil {
			return pair{}, fmt.Errorf("%s: not PEM", name)
		}
		crt, err := x509.ParseCertificate(cb.Bytes)
		if err != nil {
			return pair{}, err
		}
		key, err := x509.ParseECPrivateKey(kb.Bytes)
		return pair{crt, key}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return pair{}, err
	}
	t.NotBefore = time.Now().Add(-time.Hour)
	t.NotAfter = time.Now().AddDate(10, 0, 0)
	if t.KeyUsage == 0 {
		t.KeyUsage = x509.KeyUsageDigitalSignature
	}
	parent, signer := t, crypto.Signer(key)
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	if err != nil {
		return pair{}, err
	}
	if err := p.writeKey(name+".key", key); err != nil {
		return pair{}, err
	}
	if err := p.writePEM(name+".crt", "CERTIFICATE", der, 0o644); err != nil {
		return pair{}, err
	}
	crt, err := x509.ParseCertificate(der)
	return pair{crt, key}, err
}

func (p *pki) writeKey(name string, k *ecdsa.PrivateKey) error {
	b, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		return err
	}
	return p.writePEM(name, "EC PRIVATE KEY", b, 0o600)
}

func (p *pki) writePEM(name, kind string, b []byte, mode os.FileMode) error {
	return os.WriteFile(p.path(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), mode)
}

// writeKubeconfigs writes 'kubeconfig' (the admin's token) and 'kubeconfig-cert' (the admin's certificate).
func (p *pki) writeKubeconfigs(server string) error {
	b64 := func(n string) (string, error) {
		b, err := os.ReadFile(p.path(n))
		return base64.StdEncoding.EncodeToString(b), err
	}
	ca, err := b64("ca.crt")
	if err != nil {
		return err
	}
	crt, err := b64("admin.crt")
	if err != nil {
		return err
	}
	key, err := b64("admin.key")
	if err != nil {
		return err
	}
	for n, user := range map[string]string{
		"kubeconfig":      "    token: " + p.token + "\n",
		"kubeconfig-cert": "    client-certificate-data: " + crt + "\n    client-key-data: " + key + "\n",
	} {
		s := "apiVersion: v1\nkind: Config\ncurrent-context: rig\n" +
			"clusters:\n- name: rig\n  cluster:\n    server: " + server + "\n    certificate-authority-data: " + ca + "\n" +
			"contexts:\n- name: rig\n  context:\n    cluster: rig\n    user: admin\n" +
			"users:\n- name: admin\n  user:\n" + user
		if err := os.WriteFile(p.path(n), []byte(s), 0o600); err != nil {
			return err
		}
	}
	return nil
}
