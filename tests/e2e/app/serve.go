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
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// answer is what an application says about itself and about the request as it arrived.
type answer struct {
	Name     string `json:"name"`
	Protocol string `json:"protocol"`
	Peer     string `json:"peer"`
	Host     string `json:"host"`
	XFCC     string `json:"xfcc"` // x-forwarded-client-cert: who the sidecar says the client is
	User     string `json:"user"` // x-user: who an authorizer says the user is
}

// The echo service, described by hand: StringValue in, an answer as JSON in a StringValue out.
const (
	echoService = "weft.test.Echo"
	echoUnary   = "/" + echoService + "/Unary"
)

type echoServer struct{ name string }

type echoHandler interface {
	unary(ctx context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error)
}

func first(md metadata.MD, key string) string {
	return strings.Join(md.Get(key), ",")
}

func (e *echoServer) unary(ctx context.Context, _ *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	from := ""
	if p, ok := peer.FromContext(ctx); ok {
		from = p.Addr.String()
	}
	text, err := json.Marshal(answer{e.name, "gRPC", from, first(md, ":authority"), first(md, "x-forwarded-client-cert"), first(md, "x-user")})
	return wrapperspb.String(string(text)), err
}

var echoDescription = grpc.ServiceDesc{
	ServiceName: echoService,
	HandlerType: (*echoHandler)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: func(server any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := new(wrapperspb.StringValue)
		if err := decode(in); err != nil {
			return nil, err
		}
		return server.(echoHandler).unary(ctx, in)
	}}},
}

// httpHandler answers HTTP/1.1, HTTP/2 and, on the same port, gRPC.
func httpHandler(name string) http.Handler {
	rpc := grpc.NewServer()
	rpc.RegisterService(&echoDescription, &echoServer{name})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("content-type"), "application/grpc") {
			rpc.ServeHTTP(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("content-type", "application/json")
		_ = json.NewEncoder(w).Encode(answer{name, r.Proto, r.RemoteAddr, r.Host, r.Header.Get("x-forwarded-client-cert"), r.Header.Get("x-user")})
	})
}

// echoLines sends each line back with the name before it, for as long as the connection lasts.
func echoLines(name string, c net.Conn) {
	defer c.Close()
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		if _, err := fmt.Fprintf(c, "%s %s\n", name, lines.Text()); err != nil {
			return
		}
	}
}

// greetFirst is a protocol where the server speaks first, as databases do.
func greetFirst(name string, c net.Conn) {
	if _, err := fmt.Fprintf(c, "%s hello\n", name); err != nil {
		c.Close()
		return
	}
	echoLines(name, c)
}

func accept(l net.Listener, name string, handle func(string, net.Conn)) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go handle(name, c)
	}
}

func serve(arguments []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	name := flags.String("name", "app", "who answers")
	address := flags.String("address", "0.0.0.0", "where to listen")
	ports := map[string]*string{
		"http":         flags.String("http", "", "ports for HTTP/1.1, HTTP/2 without TLS, and gRPC; with commas"),
		"tcp":          flags.String("tcp", "", "ports that send each line back"),
		"server-first": flags.String("server-first", "", "ports that greet, then send each line back"),
	}
	_ = flags.Parse(arguments)
	failed := make(chan error)
	for kind, list := range ports {
		for _, port := range strings.FieldsFunc(*list, func(r rune) bool { return r == ',' }) {
			l, err := net.Listen("tcp", net.JoinHostPort(*address, port))
			if err != nil {
				return err
			}
			go func() {
				switch kind {
				case "http":
					protocols := new(http.Protocols)
					protocols.SetHTTP1(true)
					protocols.SetUnencryptedHTTP2(true)
					failed <- (&http.Server{Handler: httpHandler(*name), Protocols: protocols}).Serve(l)
				case "tcp":
					failed <- accept(l, *name, echoLines)
				case "server-first":
					failed <- accept(l, *name, greetFirst)
				}
			}()
		}
	}
	fmt.Println("ready")
	return <-failed
}
