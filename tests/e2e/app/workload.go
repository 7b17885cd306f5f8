package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"
	ca "istio.io/api/security/v1alpha1"
)

// service is how to reach the certificate service, and as whom.
type service struct {
	address, roots, serverName    string
	tokenFile, certFile, certsKey string
}

func (s *service) flags(flags *flag.FlagSet) {
	flags.StringVar(&s.address, "to", "127.0.0.1:15012", "HOST:PORT of the certificate service")
	flags.StringVar(&s.roots, "roots", "", "file of the roots that its certificate must lead to")
	flags.StringVar(&s.serverName, "server-name", "localhost", "DNS name that its certificate must bear")
	flags.StringVar(&s.tokenFile, "token-file", "", "file of the token to come with")
	flags.StringVar(&s.certFile, "cert", "", "file of the certificate to come with, its chain after it")
	flags.StringVar(&s.certsKey, "key", "", "file of that certificate's private key")
}

func (s *service) token() (string, error) {
	if s.tokenFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(s.tokenFile)
	return strings.TrimSpace(string(text)), err
}

func (s *service) pool() (*x509.CertPool, error) {
	text, err := os.ReadFile(s.roots)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", s.roots)
	}
	return pool, nil
}

// connect makes a channel; the handshake comes with the first call.
func (s *service) connect() (*grpc.ClientConn, error) {
	pool, err := s.pool()
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: pool, ServerName: s.serverName, MinVersion: tls.VersionTLS12}
	if s.certFile != "" {
		pair, err := tls.LoadX509KeyPair(s.certFile, s.certsKey)
		if err != nil {
			return nil, err
		}
		// As it is, also when the server does not name its issuer among those it takes.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return grpc.NewClient("passthrough:///"+s.address, grpc.WithTransportCredentials(credentials.NewTLS(config)), grpc.WithDisableRetry())
}

// question is one call of CreateCertificate.
type question struct {
	csr      string
	ttl      time.Duration
	token    string
	metadata map[string]any
}

func ask(conn *grpc.ClientConn, q question) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if q.token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+q.token, "clusterid", "Kubernetes")
	}
	request := &ca.IstioCertificateRequest{Csr: q.csr, ValidityDuration: int64(q.ttl / time.Second)}
	if q.metadata != nil {
		var err error
		if request.Metadata, err = structpb.NewStruct(q.metadata); err != nil {
			return nil, err
		}
	}
	response, err := ca.NewIstioCertificateServiceClient(conn).CreateCertificate(ctx, request)
	return response.GetCertChain(), err
}

func newKey(kind string) (crypto.Signer, error) {
	switch kind {
	case "p256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "rsa2048":
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return nil, fmt.Errorf("no key type %q; there are p256, p384, rsa2048", kind)
}

func csrPEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func newCSR(key crypto.Signer, id string) (string, error) {
	template := &x509.CertificateRequest{}
	if id != "" {
		u, err := url.Parse(id)
		if err != nil {
			return "", err
		}
		template.URIs = []*url.URL{u}
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	return csrPEM(der), err
}

func parseChain(blocks []string) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for i, text := range blocks {
		block, rest := pem.Decode([]byte(text))
		if block == nil || block.Type != "CERTIFICATE" || len(strings.TrimSpace(string(rest))) > 0 {
			return nil, fmt.Errorf("element %d of the chain is not one PEM certificate", i)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("element %d of the chain: %w", i, err)
		}
		chain = append(chain, c)
	}
	if len(chain) < 2 {
		return nil, fmt.Errorf("%d certificates: a leaf and a root at least", len(chain))
	}
	return chain, nil
}

// expectation is what a certificate must be.
type expectation struct {
	id     string
	key    crypto.PublicKey
	ttl    time.Duration // exactly, but for notBefore's two minutes back
	ttlMax bool          // no longer than ttl
	roots  *x509.CertPool
}

func isEqual(a, b crypto.PublicKey) bool {
	comparable, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && comparable.Equal(b)
}

// judge looks at everything that a chain must be: order, names, key, uses, lifetime, signatures.
func judge(chain []*x509.Certificate, want expectation) error {
	leaf, root := chain[0], chain[len(chain)-1]
	var faults []error
	claim := func(isSo bool, format string, arguments ...any) {
		if !isSo {
			faults = append(faults, fmt.Errorf(format, arguments...))
		}
	}
	claim(len(leaf.URIs) == 1 && leaf.URIs[0].String() == want.id, "URIs %v, not %s alone", leaf.URIs, want.id)
	claim(len(leaf.DNSNames)+len(leaf.IPAddresses)+len(leaf.EmailAddresses) == 0, "other names: %v %v %v", leaf.DNSNames, leaf.IPAddresses, leaf.EmailAddresses)
	claim(leaf.Subject.String() == "", "subject %q", leaf.Subject)
	claim(isEqual(leaf.PublicKey, want.key), "another public key than that of the request")
	claim(leaf.BasicConstraintsValid && !leaf.IsCA, "not CA:FALSE")
	claim(leaf.KeyUsage == x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment, "key usage %b", leaf.KeyUsage)
	claim(fmt.Sprint(leaf.ExtKeyUsage) == fmt.Sprint([]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}), "extended key usage %v", leaf.ExtKeyUsage)
	claim(len(leaf.UnhandledCriticalExtensions) == 0, "critical extensions nobody knows: %v", leaf.UnhandledCriticalExtensions)
	claim(leaf.Version == 3 && leaf.SerialNumber.Sign() > 0 && leaf.SerialNumber.BitLen() > 64, "serial number %x", leaf.SerialNumber)
	for _, extension := range leaf.Extensions {
		claim(!extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) || extension.Critical, "no subject, so the names must be critical (RFC 5280, 4.2.1.6)")
	}
	life := leaf.NotAfter.Sub(leaf.NotBefore)
	if want.ttl > 0 {
		exact := life >= want.ttl && life <= want.ttl+3*time.Minute
		claim(exact || want.ttlMax && life <= want.ttl+3*time.Minute, "lives %v, asked for %v", life, want.ttl)
	}
	claim(time.Since(leaf.NotBefore) > time.Minute, "notBefore %v is not some time back", leaf.NotBefore)
	for i := 0; i+1 < len(chain) && !isSelfIssued(chain[i]); i++ {
		signer := chain[i+1]
		if isSelfIssued(signer) { // several roots may follow: one of them
			signer = nil
			for _, c := range chain[i+1:] {
				if chain[i].CheckSignatureFrom(c) == nil {
					signer = c
				}
			}
			claim(signer != nil, "none of the roots has signed element %d", i)
			break
		}
		claim(chain[i].CheckSignatureFrom(signer) == nil, "element %d is not signed by the next", i)
	}
	claim(isSelfIssued(root) || root.IsCA, "the last element is not a root: %s", root.Subject)
	roots, between := want.roots, x509.NewCertPool()
	if roots == nil {
		roots = x509.NewCertPool()
		roots.AddCert(root)
	}
	for _, c := range chain[1:] {
		if isSelfIssued(c) && want.roots == nil {
			roots.AddCert(c)
		} else {
			between.AddCert(c)
		}
	}
	for _, use := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{use}})
		claim(err == nil, "crypto/x509: %v", err)
	}
	return errors.Join(faults...)
}

func isSelfIssued(c *x509.Certificate) bool { return string(c.RawIssuer) == string(c.RawSubject) }
