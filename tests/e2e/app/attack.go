package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// An attack is refused with one of some codes, or (no codes) answered with the caller's own name and nothing else of what it asked.
type attack struct {
	name string
	make func(a *attacker) (question, crypto.PublicKey)
	want []codes.Code
}

type attacker struct {
	id     string // who it really is
	token  string
	key    *ecdsa.PrivateKey
	minter *minter
}

var (
	invalid         = []codes.Code{codes.InvalidArgument}
	tooMuch         = []codes.Code{codes.InvalidArgument, codes.ResourceExhausted}
	unauthenticated = []codes.Code{codes.Unauthenticated}
	denied          = []codes.Code{codes.PermissionDenied, codes.InvalidArgument}
)

var (
	oidSAN              = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func (a *attacker) request(template *x509.CertificateRequest, key crypto.Signer) (question, crypto.PublicKey) {
	return question{csr: csrPEM(must(x509.CreateCertificateRequest(rand.Reader, template, key))), token: a.token}, key.Public()
}

// names asks for these URIs, byte for byte, whatever they hold.
func (a *attacker) names(uris ...string) (question, crypto.PublicKey) {
	var values []asn1.RawValue
	for _, uri := range uris {
		values = append(values, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(uri)})
	}
	return a.extension(oidSAN, must(asn1.Marshal(values)))
}

func (a *attacker) extension(id asn1.ObjectIdentifier, value []byte) (question, crypto.PublicKey) {
	return a.request(&x509.CertificateRequest{ExtraExtensions: []pkix.Extension{{Id: id, Value: value}}}, a.key)
}

func named(uris func(a *attacker) []string) func(*attacker) (question, crypto.PublicKey) {
	return func(a *attacker) (question, crypto.PublicKey) { return a.names(uris(a)...) }
}

// spelled asks for the attacker's own name with one piece of it written differently.
func spelled(old, new string) func(*attacker) (question, crypto.PublicKey) {
	return func(a *attacker) (question, crypto.PublicKey) {
		uri := strings.Replace(a.id, old, new, 1)
		if uri == a.id {
			panic("the name does not hold " + old)
		}
		return a.names(uri)
	}
}

func keyed(key func() crypto.Signer) func(*attacker) (question, crypto.PublicKey) {
	return func(a *attacker) (question, crypto.PublicKey) { return a.request(&x509.CertificateRequest{}, key()) }
}

func plain(change func(q *question)) func(*attacker) (question, crypto.PublicKey) {
	return func(a *attacker) (question, crypto.PublicKey) {
		q, key := a.request(&x509.CertificateRequest{}, a.key)
		change(&q)
		return q, key
	}
}

func curve(c elliptic.Curve) func() crypto.Signer {
	return func() crypto.Signer { return must(ecdsa.GenerateKey(c, rand.Reader)) }
}

func rsaKey(bits int) func() crypto.Signer {
	return func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, bits)) }
}

// foreignKey asks for a certificate on somebody else's public key, signed with the attacker's.
func foreignKey(a *attacker) (question, crypto.PublicKey) {
	other := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	der := must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, a.key))
	mine, theirs := must(x509.MarshalPKIXPublicKey(a.key.Public())), must(x509.MarshalPKIXPublicKey(other.Public()))
	return question{csr: csrPEM(bytes.Replace(der, mine, theirs, 1)), token: a.token}, other.Public()
}

func brokenSignature(a *attacker) (question, crypto.PublicKey) {
	der := must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, a.key))
	der[len(der)-1] ^= 1
	return question{csr: csrPEM(der), token: a.token}, a.key.Public()
}

var attacks = []attack{
	{"another identity", named(func(a *attacker) []string { return []string{a.other()} }), invalid},
	{"its own identity and another", named(func(a *attacker) []string { return []string{a.id, a.other()} }), invalid},
	{"its own identity twice", named(func(a *attacker) []string { return []string{a.id, a.id} }), invalid},
	{"the control plane's identity", named(func(*attacker) []string { return []string{"spiffe://cluster.local/ns/istio-system/sa/weftd"} }), invalid},
	{"another trust domain", spelled("spiffe://cluster.local/", "spiffe://other.example/"), invalid},
	{"a NUL in the name", spelled("/sa/", "/sa/\x00"), invalid},
	{"its own name, a NUL, another", named(func(a *attacker) []string { return []string{a.id + "\x00" + a.other()} }), invalid},
	{".. in the name", spelled("/sa/", "/../kube-system/sa/"), invalid},
	{"upper case in the name", spelled("/ns/", "/NS/"), invalid},
	{"an upper-case trust domain", spelled("cluster.local", "CLUSTER.local"), invalid},
	{"an upper-case scheme", spelled("spiffe://", "SPIFFE://"), invalid},
	{"a percent-encoded name", spelled("/sa/", "/sa%2F"), invalid},
	{"a port in the trust domain", spelled("cluster.local/", "cluster.local:443/"), invalid},
	{"a user in the trust domain", spelled("spiffe://", "spiffe://x@"), invalid},
	{"a query after the name", named(func(a *attacker) []string { return []string{a.id + "?x=1"} }), invalid},
	{"a slash after the name", named(func(a *attacker) []string { return []string{a.id + "/"} }), invalid},
	{"a name of 8 KiB", named(func(a *attacker) []string { return []string{a.id + strings.Repeat("a", 8192)} }), invalid},
	{"a thousand names", named(func(a *attacker) []string { return strings.Split(strings.Repeat(a.id+" ", 999)+a.id, " ") }), invalid},
	{"a DNS name too", func(a *attacker) (question, crypto.PublicKey) {
		return a.request(&x509.CertificateRequest{URIs: []*url.URL{must(url.Parse(a.id))}, DNSNames: []string{"weftd.istio-system.svc"}}, a.key)
	}, invalid},
	{"a DNS name alone", func(a *attacker) (question, crypto.PublicKey) {
		return a.request(&x509.CertificateRequest{DNSNames: []string{"weftd.istio-system.svc"}}, a.key)
	}, invalid},
	{"an IP address", func(a *attacker) (question, crypto.PublicKey) {
		return a.request(&x509.CertificateRequest{IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1)}}, a.key)
	}, invalid},
	{"an e-mail address", func(a *attacker) (question, crypto.PublicKey) {
		return a.request(&x509.CertificateRequest{EmailAddresses: []string{"root@example.com"}}, a.key)
	}, invalid},
	{"to be an authority", func(a *attacker) (question, crypto.PublicKey) {
		return a.extension(oidBasicConstraints, must(asn1.Marshal(struct{ IsCA bool }{true})))
	}, invalid},
	{"to sign certificates", func(a *attacker) (question, crypto.PublicKey) {
		return a.extension(oidKeyUsage, must(asn1.Marshal(asn1.BitString{Bytes: []byte{0x04}, BitLength: 6})))
	}, invalid},
	{"a name in the subject", func(a *attacker) (question, crypto.PublicKey) {
		return a.request(&x509.CertificateRequest{Subject: pkix.Name{CommonName: "weftd.istio-system.svc", Organization: []string{"system:masters"}}}, a.key)
	}, nil},

	{"an RSA key of 1024 bits", keyed(rsaKey(1024)), invalid},
	{"an Ed25519 key", keyed(func() crypto.Signer {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return must(key, err)
	}), invalid},
	{"a P-224 key", keyed(curve(elliptic.P224())), invalid},
	{"a P-521 key", keyed(curve(elliptic.P521())), invalid},
	{"a P-384 key is fine", keyed(curve(elliptic.P384())), nil},
	{"an RSA key of 2048 bits is fine", keyed(rsaKey(2048)), nil},
	{"somebody else's key", foreignKey, invalid},
	{"a broken signature", brokenSignature, invalid},

	{"no name: its own", plain(func(*question) {}), nil},
	{"no request", plain(func(q *question) { q.csr = "" }), invalid},
	{"not a request", plain(func(q *question) {
		q.csr = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
	}), invalid},
	{"two requests", plain(func(q *question) { q.csr += q.csr }), invalid},
	{"a request with 80 KiB after it", plain(func(q *question) { q.csr += strings.Repeat("\n", 80<<10) }), tooMuch},
	{"8 MiB", plain(func(q *question) { q.csr = strings.Repeat("A", 8<<20) }), tooMuch},
	{"10 years", plain(func(q *question) { q.ttl = 10 * 365 * 24 * time.Hour }), invalid},
	{"292 years", plain(func(q *question) { q.ttl = 1<<63 - 1 }), invalid},
	{"a lifetime below zero: the default", plain(func(q *question) { q.ttl = -time.Hour }), nil},
	{"another's certificate by impersonation", plain(func(q *question) {
		q.metadata = map[string]any{"ImpersonatedIdentity": "spiffe://cluster.local/ns/kube-system/sa/admin"}
	}), denied},
	{"another signer", plain(func(q *question) { q.metadata = map[string]any{"CertSigner": "clusterissuers.other/x"} }), invalid},

	{"a token made alike is good", minted(func(*token) {}), nil},
	{"no token", plain(func(q *question) { q.token = "" }), unauthenticated},
	{"not a token", plain(func(q *question) { q.token = "token" }), unauthenticated},
	{"a token of another audience", minted(func(t *token) { t.claims["aud"] = []string{"other"} }), unauthenticated},
	{"an expired token", minted(func(t *token) { t.shift(-24 * time.Hour) }), unauthenticated},
	{"a token of tomorrow", minted(func(t *token) { t.shift(24 * time.Hour) }), unauthenticated},
	{"a token without an end", minted(func(t *token) { delete(t.claims, "exp") }), unauthenticated},
	{"a token of another issuer", minted(func(t *token) { t.claims["iss"] = "https://other.example" }), unauthenticated},
	{"a token of a user", minted(func(t *token) { t.claims["sub"] = "system:admin" }), unauthenticated},
	{"a token whose account has another namespace in it", minted(func(t *token) { t.claims["sub"] = "system:serviceaccount:default:../kube-system/sa/admin" }), unauthenticated},
	{"a token signed with another key", minted(func(t *token) { t.key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }), unauthenticated},
	{"a token that is not signed (alg none)", minted(func(t *token) { t.header["alg"], t.key = "none", nil }), unauthenticated},
	{"a token signed by HMAC with the public key", minted(func(t *token) { t.header["alg"] = "HS256" }), unauthenticated},
	{"a token of 100 KB", plain(func(q *question) { q.token = strings.Repeat("a", 100_000) }),
		[]codes.Code{codes.Unauthenticated, codes.ResourceExhausted, codes.Internal, codes.Unavailable}},
}

func (a *attacker) other() string { return "spiffe://cluster.local/ns/kube-system/sa/admin" }

// tampered is the attacker's token with one character changed, at each of some places.
func tampered() []attack {
	var list []attack
	for i := 0; i < 64; i++ {
		list = append(list, attack{fmt.Sprintf("a token tampered with, place %d of 64", i), func(a *attacker) (question, crypto.PublicKey) {
			q, key := a.request(&x509.CertificateRequest{}, a.key)
			at := i * (len(a.token) - 2) / 64 // the very last character has bits that nobody reads
			letter := byte('A')
			if a.token[at] == letter {
				letter = 'B'
			}
			q.token = a.token[:at] + string(letter) + a.token[at+1:]
			return q, key
		}, unauthenticated})
	}
	return list
}

func (t *attack) try(conn *grpc.ClientConn, a *attacker) string {
	q, key := t.make(a)
	blocks, err := ask(conn, q)
	if t.want == nil {
		if err != nil {
			return fmt.Sprintf("refused: %v", err)
		}
		chain, err := parseChain(blocks)
		if err == nil {
			err = judge(chain, expectation{id: a.id, key: key, ttl: 24 * time.Hour, ttlMax: true})
		}
		if err != nil {
			return err.Error()
		}
		return ""
	}
	for _, code := range t.want {
		if err != nil && status.Code(err) == code {
			if status.Convert(err).Message() == "" {
				return "refused without a reason"
			}
			return ""
		}
	}
	if err == nil {
		return "ISSUED"
	}
	return fmt.Sprintf("expected one of %v, got %v", t.want, err)
}

func caAttack(arguments []string) error {
	flags := flag.NewFlagSet("attack", flag.ExitOnError)
	var s service
	s.flags(flags)
	id := flags.String("id", "", "the SPIFFE ID that the token is good for")
	keyFile := flags.String("token-key", "", "the key that tokens are signed with, to make bad ones")
	_ = flags.Parse(arguments)
	good, err := s.token()
	if err != nil {
		return err
	}
	a := &attacker{id: *id, token: good, key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	if a.minter, err = newMinter(*keyFile, good); err != nil {
		return err
	}
	list := append(attacks, tampered()...)
	for i := range list {
		// A connection of its own: what one attack does to it is not the next one's.
		conn, err := s.connect()
		if err != nil {
			return err
		}
		row := map[string]string{"name": list[i].name, "fault": list[i].try(conn, a)}
		conn.Close()
		fmt.Println(string(must(json.Marshal(row))))
	}
	return nil
}
