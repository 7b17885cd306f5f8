package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A fault is what happens to the requests whose path and query match.
type fault struct {
	Path       string  `json:"path"`       // regular expression; "": all
	Count      int     `json:"count"`      // how often; 0: until told otherwise
	Share      float64 `json:"share"`      // of the matching requests; 0: all
	Status     int     `json:"status"`     // answered with this, without asking the API server
	RetryAfter int     `json:"retryAfter"` // seconds, with a status
	DelayMs    int     `json:"delayMs"`    // before the request goes on
	CutAfter   int     `json:"cutAfter"`   // bytes of the body, then the end
	CutClean   bool    `json:"cutClean"`   // a proper end, as if that were all; else the stream is reset
	CutMs      int     `json:"cutMs"`      // a watch lasts at most about so long, then its stream is reset
	Hang       bool    `json:"hang"`       // no byte of the answer comes, nor does it end

	re *regexp.Regexp
}

type proxy struct {
	mu     sync.Mutex // of the next four
	faults []*fault
	conns  map[net.Conn]struct{}
	chance *rand.Rand
	counts counts

	refuse, mute        atomic.Bool // new connections are closed at once; bytes of open ones go nowhere
	hits, requests, cut atomic.Int64
}

// faults is a TLS proxy before a rig's API server, with the server's own certificate, that does harm on command: GET /stats,
// POST /faults with a list (replaces the former), POST /cut, /refuse, /accept, /mute on its control port. It prints
// "ready ADDRESS CONTROL-ADDRESS".
func faults(args []string) error {
	f := flag.NewFlagSet("faults", flag.ExitOnError)
	dir := f.String("dir", "", "folder of the rig's files")
	eof := f.Bool("until-eof", false, "end when the standard input ends")
	seed := f.Uint64("seed", 1, "of all chance: shares, and when watches are cut")
	_ = f.Parse(args)
	in := func(n string) string { return filepath.Join(*dir, n) }
	port, err := os.ReadFile(in("port"))
	if err != nil {
		return err
	}
	ca, err := os.ReadFile(in("ca.crt"))
	if err != nil {
		return err
	}
	cert, err := tls.LoadX509KeyPair(in("apiserver.crt"), in("apiserver.key"))
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	upstream := &url.URL{Scheme: "https", Host: "127.0.0.1:" + strings.TrimSpace(string(port))}
	p := &proxy{conns: map[net.Conn]struct{}{}, chance: rand.New(rand.NewPCG(*seed, 0)), counts: newCounts()}
	reverse := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		FlushInterval: -1,
		Transport:     &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool}},
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // as the server: no answer
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(reverse, w, r) }),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}},
	}
	go func() { _ = server.ServeTLS(&listener{l, p}, "", "") }()
	go func() { _ = http.Serve(control, p.control()) }()
	fmt.Println("ready", l.Addr(), control.Addr())
	if *eof {
		_, _ = io.Copy(io.Discard, os.Stdin)
		return nil
	}
	select {}
}

func (p *proxy) control() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("POST /faults", func(w http.ResponseWriter, r *http.Request) {
		var list []*fault
		err := json.NewDecoder(r.Body).Decode(&list)
		for _, f := range list {
			if err == nil {
				f.re, err = regexp.Compile(f.Path)
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.mu.Lock()
		p.faults = list
		p.mu.Unlock()
	})
	m.HandleFunc("POST /cut", func(http.ResponseWriter, *http.Request) { p.cutAll() })
	m.HandleFunc("POST /refuse", func(http.ResponseWriter, *http.Request) { p.refuse.Store(true); p.cutAll() })
	m.HandleFunc("POST /accept", func(http.ResponseWriter, *http.Request) { p.refuse.Store(false); p.mute.Store(false) })
	m.HandleFunc("POST /mute", func(http.ResponseWriter, *http.Request) { p.mute.Store(true) })
	m.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		_ = json.NewEncoder(w).Encode(map[string]any{
			"requests": p.requests.Load(), "hits": p.hits.Load(), "cut": p.cut.Load(), "connections": len(p.conns),
			"byKind": p.counts.requests, "watches": p.counts.watches,
		})
	})
	return m
}

// find takes the first fault that is meant for the request.
func (p *proxy) find(r *http.Request) *fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		if !f.re.MatchString(r.URL.RequestURI()) || f.Count < 0 || (f.Share > 0 && p.chance.Float64() >= f.Share) {
			continue
		}
		if f.Count > 0 {
			if f.Count--; f.Count == 0 {
				f.Count = -1 // used up
			}
		}
		p.hits.Add(1)
		return f
	}
	return nil
}

func (p *proxy) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	p.requests.Add(1)
	defer p.count(r)()
	f := p.find(r)
	if f == nil {
		next.ServeHTTP(w, r)
		return
	}
	select {
	case <-time.After(time.Duration(f.DelayMs) * time.Millisecond):
	case <-r.Context().Done():
		return
	}
	switch {
	case f.Hang:
		<-r.Context().Done()
	case f.Status != 0:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(f.RetryAfter))
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.Status)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"a fault of the test","code":%d}`, f.Status)
	case f.CutMs > 0 && r.URL.Query().Get("watch") != "":
		p.mu.Lock()
		ms := f.CutMs/2 + p.chance.IntN(f.CutMs)
		p.mu.Unlock()
		ctx, cancel := context.WithTimeout(r.Context(), time.Duration(ms)*time.Millisecond)
		defer cancel()
		defer p.cut.Add(1)
		next.ServeHTTP(w, r.WithContext(ctx)) // panics when the time is up: the stream is reset
	case f.CutAfter > 0:
		r.Header.Del("Accept-Encoding") // so that bytes are bytes of JSON
		defer func() {
			if e := recover(); e != nil && !f.CutClean {
				panic(e)
			}
		}()
		next.ServeHTTP(&cutter{ResponseWriter: w, left: f.CutAfter, proxy: p}, r)
	default:
		next.ServeHTTP(w, r)
	}
}

// A cutter lets the beginning of a body through.
type cutter struct {
	http.ResponseWriter
	left  int
	proxy *proxy
}

func (c *cutter) WriteHeader(status int) {
	c.Header().Del("Content-Length")
	c.ResponseWriter.WriteHeader(status)
}

func (c *cutter) Write(b []byte) (int, error) {
	if c.left >= len(b) {
		c.left -= len(b)
		return c.ResponseWriter.Write(b)
	}
	_, _ = c.ResponseWriter.Write(b[:c.left])
	c.left = 0
	c.Flush()
	c.proxy.cut.Add(1)
	panic(http.ErrAbortHandler)
}

func (c *cutter) Flush() { c.ResponseWriter.(http.Flusher).Flush() }

// Connections that can be cut all at once.
type listener struct {
	net.Listener
	p *proxy
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.p.refuse.Load() {
			reset(c)
			continue
		}
		l.p.mu.Lock()
		l.p.conns[c] = struct{}{}
		l.p.mu.Unlock()
		return &conn{c, l.p}, nil
	}
}

type conn struct {
	net.Conn
	p *proxy
}

// Read and Write pretend, while the proxy is mute: bytes are lost both ways, so that a connection is of no use afterwards.
func (c *conn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err != nil || !c.p.mute.Load() {
			return n, err
		}
	}
}

func (c *conn) Write(b []byte) (int, error) {
	if c.p.mute.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *conn) Close() error {
	c.p.mu.Lock()
	delete(c.p.conns, c.Conn)
	c.p.mu.Unlock()
	return c.Conn.Close()
}

func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		reset(c)
		delete(p.conns, c)
		p.cut.Add(1)
	}
}
