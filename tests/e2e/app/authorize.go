package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"github.com/open-policy-agent/opa/v1/rego"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// matter is what a policy in Rego sees as `input`, however it was asked.
type matter struct {
	Asker     string            `json:"asker"`  // grpc or http
	IsHTTP    bool              `json:"isHttp"` // a request, not a connection
	Method    string            `json:"method"` // "" of connections
	Path      string            `json:"path"`
	Headers   map[string]string `json:"headers"`
	Body      string            `json:"body"`
	Principal string            `json:"principal"` // of the client's certificate, as the proxy says; by HTTP see x-forwarded-client-cert
	Port      uint32            `json:"port"`      // where the connection goes; 0 by HTTP
}

// decision is what `data.weft.decision` is.
type decision struct {
	allow    bool
	status   int
	upstream map[string]string // headers the request goes on with
	client   map[string]string // headers of what the client gets
	body     string
}

type authorizer struct{ query rego.PreparedEvalQuery }

func texts(value any) map[string]string {
	out := map[string]string{}
	if members, ok := value.(map[string]any); ok {
		for name, text := range members {
			out[name] = fmt.Sprint(text)
		}
	}
	return out
}

func (a *authorizer) decide(ctx context.Context, q matter) (decision, error) {
	results, err := a.query.Eval(ctx, rego.EvalInput(q))
	if err != nil {
		return decision{}, err
	}
	if len(results) != 1 || len(results[0].Expressions) != 1 {
		return decision{}, errors.New("data.weft.decision is not defined")
	}
	said, ok := results[0].Expressions[0].Value.(map[string]any)
	if !ok {
		return decision{}, errors.New("data.weft.decision is no object")
	}
	d := decision{status: http.StatusForbidden, upstream: texts(said["upstream"]), client: texts(said["client"])}
	d.allow, _ = said["allow"].(bool)
	d.body, _ = said["body"].(string)
	if status, ok := said["status"].(fmt.Stringer); ok { // a number of Rego
		_, _ = fmt.Sscan(status.String(), &d.status)
	}
	return d, nil
}

// --- by gRPC: envoy.service.auth.v3.Authorization

func options(headers map[string]string) (out []*corev3.HeaderValueOption) {
	for name, value := range headers {
		out = append(out, &corev3.HeaderValueOption{Header: &corev3.HeaderValue{Key: name, Value: value}})
	}
	return out
}

func (a *authorizer) Check(ctx context.Context, in *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	attributes := in.GetAttributes()
	request := attributes.GetRequest().GetHttp()
	d, err := a.decide(ctx, matter{
		Asker: "grpc", IsHTTP: request.GetMethod() != "", Method: request.GetMethod(), Path: request.GetPath(), Headers: request.GetHeaders(), Body: request.GetBody(),
		Principal: attributes.GetSource().GetPrincipal(),
		Port:      attributes.GetDestination().GetAddress().GetSocketAddress().GetPortValue(),
	})
	if err != nil {
		return nil, err
	}
	if d.allow {
		return &authv3.CheckResponse{
			Status: &rpcstatus.Status{Code: int32(codes.OK)},
			HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{
				Headers: options(d.upstream), ResponseHeadersToAdd: options(d.client)}},
		}, nil
	}
	return &authv3.CheckResponse{
		Status: &rpcstatus.Status{Code: int32(codes.PermissionDenied)},
		HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{
			Status: &typev3.HttpStatus{Code: typev3.StatusCode(d.status)}, Headers: options(d.client), Body: d.body}},
	}, nil
}

// --- by HTTP: the request's method, path behind the prefix, and some headers; the answer's status decides

func (a *authorizer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	headers := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	d, err := a.decide(r.Context(), matter{Asker: "http", IsHTTP: true, Method: r.Method, Path: r.URL.Path, Headers: headers, Body: string(body)})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for _, set := range []map[string]string{d.upstream, d.client} {
		for name, value := range set {
			w.Header().Set(name, value)
		}
	}
	if !d.allow {
		w.WriteHeader(d.status)
		_, _ = io.WriteString(w, d.body)
	}
}

// authorize decides by a policy in Rego, with OPA's own evaluation, about requests and connections of proxies.
func authorize(arguments []string) error {
	flags := flag.NewFlagSet("authorize", flag.ExitOnError)
	policy := flags.String("policy", "", "file with package weft, whose `decision` is {allow, status, upstream, client, body}")
	rpcAddress := flags.String("grpc", "0.0.0.0:9191", "where to be asked by gRPC")
	httpAddress := flags.String("http", "0.0.0.0:9192", "where to be asked by HTTP")
	_ = flags.Parse(arguments)
	text, err := os.ReadFile(*policy)
	if err != nil {
		return err
	}
	query, err := rego.New(rego.Query("data.weft.decision"), rego.Module(*policy, string(text))).PrepareForEval(context.Background())
	if err != nil {
		return err
	}
	a := &authorizer{query}
	rpcListener, err := net.Listen("tcp", *rpcAddress)
	if err != nil {
		return err
	}
	httpListener, err := net.Listen("tcp", *httpAddress)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	authv3.RegisterAuthorizationServer(server, a)
	failed := make(chan error)
	go func() { failed <- server.Serve(rpcListener) }()
	go func() { failed <- http.Serve(httpListener, a) }()
	fmt.Println("ready")
	return <-failed
}
