package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc/status"
)

// verdict is one answer of the service, for a script to read.
type verdict struct {
	Code         string    `json:"code"`
	Message      string    `json:"message"`
	Fault        string    `json:"fault"` // what is wrong with what was issued
	Certificates int       `json:"certificates"`
	NotBefore    time.Time `json:"not_before"`
	NotAfter     time.Time `json:"not_after"`
	Serial       string    `json:"serial"`
	Roots        int       `json:"roots"`
}

func save(folder string, key any, blocks []string) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	roots := ""
	for _, text := range blocks[1:] {
		block, _ := pem.Decode([]byte(text))
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && isSelfIssued(c) {
			roots += text
		}
	}
	for name, text := range map[string]string{
		"key.pem":        string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"cert-chain.pem": strings.Join(blocks, ""),
		"leaf.pem":       blocks[0],
		"root-cert.pem":  roots,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// caAsk asks once, judges what comes, and prints the verdict; the program succeeds when it got an answer, whatever that says.
func caAsk(arguments []string) error {
	flags := flag.NewFlagSet("ca", flag.ExitOnError)
	var s service
	s.flags(flags)
	id := flags.String("id", "", "SPIFFE ID to expect, and to ask for")
	isSilent := flags.Bool("no-name", false, "ask for no name, as a request may")
	kind := flags.String("key-type", "p256", "p256, p384, rsa2048")
	ttl := flags.Duration("ttl", 0, "lifetime to ask for; 0 is the service's default")
	expect := flags.Duration("expect-ttl", 0, "lifetime to expect; 0: the one asked for, or 24h")
	out := flags.String("out", "", "folder for key.pem, leaf.pem, cert-chain.pem, root-cert.pem")
	_ = flags.Parse(arguments)
	key, err := newKey(*kind)
	if err != nil {
		return err
	}
	asked := *id
	if *isSilent {
		asked = ""
	}
	csr, err := newCSR(key, asked)
	if err != nil {
		return err
	}
	token, err := s.token()
	if err != nil {
		return err
	}
	conn, err := s.connect()
	if err != nil {
		return err
	}
	defer conn.Close()
	blocks, err := ask(conn, question{csr: csr, ttl: *ttl, token: token})
	v := verdict{Code: status.Code(err).String(), Message: status.Convert(err).Message(), Certificates: len(blocks)}
	if err == nil {
		want := expectation{id: *id, key: key.Public(), ttl: *expect}
		if want.ttl == 0 {
			want.ttl = *ttl
		}
		if want.ttl == 0 {
			want.ttl = 24 * time.Hour
		}
		chain, fault := parseChain(blocks)
		if fault == nil {
			fault = judge(chain, want)
			v.NotBefore, v.NotAfter, v.Serial = chain[0].NotBefore, chain[0].NotAfter, chain[0].SerialNumber.Text(16)
			for _, c := range chain[1:] {
				if isSelfIssued(c) {
					v.Roots++
				}
			}
		}
		if fault != nil {
			v.Fault = fault.Error()
		} else if *out != "" {
			if err := save(*out, key, blocks); err != nil {
				return err
			}
		}
	}
	text, _ := json.Marshal(v)
	fmt.Println(string(text))
	return nil
}
