package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// target is where a load goes, and in which way.
type target struct {
	address string // host:port to connect to
	host    string // what HTTP calls it
	path    string
	marker  string // goes with each request, to be looked for on the wire
	dials   *atomic.Int64
	timeout time.Duration
}

func (t *target) dial(ctx context.Context) (net.Conn, error) {
	t.dials.Add(1)
	var d net.Dialer
	return d.DialContext(ctx, "tcp", t.address)
}

// client asks once and says who answered. One client has one connection, opened when it is needed.
type client interface {
	ask(ctx context.Context) (answer, error)
	close()
}

// refused is an answer, but not the one that was asked for.
type refused struct{ what string }

func (r refused) Error() string { return r.what }

type httpClient struct {
	t         *target
	transport *http.Transport
}

func newHTTPClient(t *target, isHTTP2 bool) client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!isHTTP2)
	protocols.SetUnencryptedHTTP2(isHTTP2)
	return &httpClient{t, &http.Transport{Protocols: protocols, MaxConnsPerHost: 1, DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return t.dial(ctx) }}}
}

func (c *httpClient) ask(ctx context.Context) (answer, error) {
	// A POST is not sent again by net/http when a kept connection turns out to be closed, and all must be counted.
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.t.host+c.t.path, strings.NewReader(c.t.marker))
	if err != nil {
		return answer{}, err
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	var got answer
	if response.StatusCode != 200 || json.Unmarshal(body, &got) != nil {
		return answer{}, refused{fmt.Sprintf("%d %.80s", response.StatusCode, body)}
	}
	return got, nil
}

func (c *httpClient) close() { c.transport.CloseIdleConnections() }

type grpcClient struct {
	t    *target
	conn *grpc.ClientConn
}

func newGRPCClient(t *target) (client, error) {
	conn, err := grpc.NewClient("passthrough:///"+t.host, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry(),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return t.dial(ctx) }))
	return &grpcClient{t, conn}, err
}

func (c *grpcClient) ask(ctx context.Context) (answer, error) {
	var got answer
	out := new(wrapperspb.StringValue)
	if err := c.conn.Invoke(ctx, echoUnary, wrapperspb.String(c.t.marker), out); err != nil {
		return got, refused{fmt.Sprintf("%s: %.80s", status.Code(err), status.Convert(err).Message())}
	}
	return got, json.Unmarshal([]byte(out.Value), &got)
}

func (c *grpcClient) close() { c.conn.Close() }

// tcpClient is one long stream of numbered lines, each of which must come back before the next is sent.
type tcpClient struct {
	t             *target
	isServerFirst bool
	conn          net.Conn
	lines         *bufio.Reader
	n             int
}

func (c *tcpClient) ask(ctx context.Context) (answer, error) {
	if c.conn == nil {
		conn, err := c.t.dial(ctx)
		if err != nil {
			return answer{}, err
		}
		c.conn, c.lines = conn, bufio.NewReader(conn)
		if c.isServerFirst {
			if _, err = c.read(ctx, "hello"); err != nil {
				return answer{}, err
			}
		}
	}
	c.n++
	line := fmt.Sprintf("%s %d", c.t.marker, c.n)
	if _, err := fmt.Fprintln(c.conn, line); err != nil {
		c.close()
		return answer{}, err
	}
	return c.read(ctx, line)
}

func (c *tcpClient) read(ctx context.Context, want string) (answer, error) {
	end, _ := ctx.Deadline()
	_ = c.conn.SetDeadline(end)
	line, err := c.lines.ReadString('\n')
	if err != nil {
		c.close()
		return answer{}, err
	}
	name, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	if rest != want {
		c.close()
		return answer{}, refused{fmt.Sprintf("asked for %q, got %.80q", want, line)}
	}
	return answer{Name: name, Protocol: "TCP"}, nil
}

func (c *tcpClient) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func newClient(protocol string, t *target) (client, error) {
	switch protocol {
	case "http1", "http2":
		return newHTTPClient(t, protocol == "http2"), nil
	case "grpc":
		return newGRPCClient(t)
	case "tcp", "server-first":
		return &tcpClient{t: t, isServerFirst: protocol == "server-first"}, nil
	}
	return nil, fmt.Errorf("no protocol %q; there are http1, http2, grpc, tcp, server-first", protocol)
}

// tally is what came back, all of it.
type tally struct {
	lock    sync.Mutex
	Answers map[string]int `json:"answers"` // by who answered
	Errors  map[string]int `json:"errors"`  // by what was wrong
	Dials   int64          `json:"dials"`   // connections that were opened
	Last    answer         `json:"last"`
	Longest float64        `json:"longest_s"`
}

func (r *tally) count(got answer, err error, took time.Duration) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.Longest = max(r.Longest, took.Seconds())
	if err != nil {
		r.Errors[describe(err)]++
		return
	}
	r.Answers[got.Name]++
	r.Last = got
}

// describe leaves out addresses and ports, so that equal errors count together.
func describe(err error) string {
	text := err.Error()
	for _, word := range []string{"connection refused", "connection reset", "broken pipe", "i/o timeout", "deadline exceeded"} {
		if strings.Contains(text, word) {
			return word
		}
	}
	return text
}

func (r *tally) print(dials *atomic.Int64) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.Dials = dials.Load()
	text, _ := json.Marshal(r)
	fmt.Println(string(text))
}

func load(arguments []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	protocol := flags.String("protocol", "http1", "http1, http2, grpc, tcp (one long stream a connection) or server-first")
	address := flags.String("to", "", "HOST:PORT to connect to")
	host := flags.String("host", "", "what HTTP calls it; where it connects to when empty")
	path := flags.String("path", "/", "of HTTP requests")
	marker := flags.String("marker", "marker", "text that goes with every request")
	n := flags.Int64("n", 0, "requests in all; 0: until standard input ends, and each line on it asks for the count so far")
	connections := flags.Int("connections", 4, "clients at once, a connection each")
	rate := flags.Float64("rate", 0, "requests a second in all; 0: as fast as answers come")
	isFresh := flags.Bool("fresh", false, "a new connection for every request")
	timeout := flags.Duration("timeout", 20*time.Second, "for an answer")
	_ = flags.Parse(arguments)
	if *host == "" {
		*host = *address
	}
	var dials, left atomic.Int64
	left.Store(*n)
	t := &target{*address, *host, *path, *marker, &dials, *timeout}
	results := &tally{Answers: map[string]int{}, Errors: map[string]int{}}
	ended := make(chan struct{})
	var workers sync.WaitGroup
	for i := 0; i < *connections; i++ {
		c, err := newClient(*protocol, t)
		if err != nil {
			return err
		}
		workers.Add(1)
		go func() {
			defer workers.Done()
			defer func() { c.close() }()
			next := time.Now()
			for {
				select {
				case <-ended:
					return
				default:
				}
				if *n > 0 && left.Add(-1) < 0 {
					return
				}
				ctx, cancel := context.WithTimeout(context.Background(), t.timeout)
				began := time.Now()
				got, err := c.ask(ctx)
				cancel()
				results.count(got, err, time.Since(began))
				if *isFresh {
					c.close()
					c, _ = newClient(*protocol, t)
				}
				if err != nil && *n == 0 {
					time.Sleep(20 * time.Millisecond)
				}
				if *rate > 0 {
					next = next.Add(time.Duration(float64(*connections) / *rate * float64(time.Second)))
					time.Sleep(time.Until(next))
				}
			}
		}()
	}
	if *n == 0 {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			results.print(&dials)
		}
		close(ended)
	}
	workers.Wait()
	results.print(&dials)
	return nil
}
