// kube: a real etcd and a real kube-apiserver in one process, and what goes with them, for tests. See README.md.
//
// `kube up` keeps everything in DIR (made if absent; a second start with the same DIR finds the same
// certificates, keys and etcd data, so a restart of the API server can be tested), prints
// "ready URL" when /readyz is ok, and ends with status 0 on SIGTERM or SIGINT.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/embed"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"
	_ "k8s.io/component-base/logs/json/register"
	"k8s.io/component-base/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"

	utilfeature "k8s.io/apiserver/pkg/util/feature"
)

const usage = `usage: kube up --dir DIR [--port N] [--controllers LIST] [--fsync] [--until-eof] [-- FLAGS OF KUBE-APISERVER]
       kube compact --dir DIR
       kube faults --dir DIR [--until-eof] [--seed N]
       kube load --kubeconfig FILE [--services N] [--endpoints N] [--pods N] [--routes N] [--namespace NAME] [--parallel N]
       kube kubectl ...
       kube version
`

func main() {
	if filepath.Base(os.Args[0]) == "kubectl" { // a link to this program
		kubectl(os.Args[1:])
	}
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	var err error
	switch os.Args[1] {
	case "up":
		err = up(os.Args[2:])
	case "compact":
		err = compact(os.Args[2:])
	case "faults":
		err = faults(os.Args[2:])
	case "load":
		err = load(os.Args[2:])
	case "kubectl":
		kubectl(os.Args[2:])
	case "version":
		fmt.Println(version.Get().GitVersion)
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kube:", err)
		os.Exit(1)
	}
}

func up(args []string) error {
	var more []string
	for i, a := range args {
		if a == "--" {
			args, more = args[:i], args[i+1:]
			break
		}
	}
	f := flag.NewFlagSet("up", flag.ExitOnError)
	dir := f.String("dir", "", "folder of the rig's files")
	port := f.Int("port", 0, "port on 127.0.0.1 (0: the one of the last start with DIR, else any free one)")
	controllers := f.String("controllers", "serviceaccount,rootca,namespace,gc", "controllers to run, of "+controllerNames()+"; or none")
	fsync := f.Bool("fsync", false, "let etcd sync its files")
	eof := f.Bool("until-eof", false, "end when the standard input ends, so with the test that holds its other end")
	timeout := f.Duration("timeout", 2*time.Minute, "time for /readyz to become ok")
	_ = f.Parse(args)
	if *dir == "" || f.NArg() != 0 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	d, err := filepath.Abs(*dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(d, 0o700); err != nil {
		return err
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if *eof {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		go func() { _, _ = io.Copy(io.Discard, os.Stdin); cancel() }()
	}

	// The listener first: the port is known, and taken, before anything is written.
	l, err := listen(d, *port)
	if err != nil {
		return err
	}
	p, err := makePKI(d)
	if err != nil {
		return err
	}
	base := "https://" + l.Addr().String()
	if err := p.writeKubeconfigs(base); err != nil {
		return err
	}

	etcd, endpoint, err := startEtcd(d, *fsync)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer etcd.Close()

	// The API server gets a context of its own: it must be down before etcd goes.
	actx, acancel := context.WithCancel(context.Background())
	defer acancel()
	done := make(chan error, 1)
	go func() { done <- runAPIServer(actx, l, d, endpoint, more) }()

	if err := waitReady(ctx, base, p, done, *timeout); err != nil {
		acancel()
		return err
	}
	cctx, ccancel := context.WithCancel(context.Background())
	defer ccancel()
	if err := startControllers(cctx, *controllers, p); err != nil {
		return err
	}
	fmt.Println("ready", base)

	select {
	case <-ctx.Done():
	case err = <-done:
		return fmt.Errorf("kube-apiserver ended: %v", err)
	}
	ccancel()
	acancel()
	select {
	case err = <-done:
	case <-time.After(10 * time.Second): // open watches: don't wait for the last of them
	}
	return err
}

// listen takes the port asked for, or the one that a former start with this dir had, or any free one
// below the range that the kernel takes clients' ports from: a client that dials a port of that range
// while the server is down may get it as its own, and then the server can't have it back.
func listen(dir string, port int) (net.Listener, error) {
	file := filepath.Join(dir, "port")
	if port == 0 {
		if b, err := os.ReadFile(file); err == nil {
			port, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		}
	}
	var l net.Listener
	var err error
	for range 100 {
		p := port
		if p == 0 {
			p = 20000 + rand.IntN(10000)
		}
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p)); err == nil {
			return l, os.WriteFile(file, []byte(fmt.Sprintln(p)), 0o644)
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
		if port != 0 { // one that was killed just now may not be gone yet
			time.Sleep(100 * time.Millisecond)
		}
	}
	return nil, err
}

func startEtcd(dir string, fsync bool) (*embed.Etcd, string, error) {
	c := embed.NewConfig()
	c.Name = "rig"
	c.Dir = filepath.Join(dir, "etcd")
	sock := filepath.Join(dir, "etcd.sock")
	if len(sock) > 107 {
		return nil, "", fmt.Errorf("%s: too long for the name of a socket", sock)
	}
	_ = os.Remove(sock) // left by a kill -9
	client := url.URL{Scheme: "unix", Path: sock}
	// A member that is alone never dials its peer URL, but etcd wants one, and listens on it.
	peer := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	c.ListenClientUrls = []url.URL{client}
	c.AdvertiseClientUrls = []url.URL{peer} // has to be host:port; nobody dials it
	c.ListenPeerUrls = []url.URL{peer}
	c.AdvertisePeerUrls = []url.URL{peer}
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	c.UnsafeNoFsync = !fsync
	c.TickMs, c.ElectionMs = 20, 200 // the only member: elect quickly
	c.QuotaBackendBytes = 2 << 30
	c.LogLevel = "error"
	c.LogOutputs = []string{filepath.Join(dir, "etcd.log")}
	e, err := embed.StartEtcd(c)
	if err != nil {
		return nil, "", err
	}
	select {
	case <-e.Server.ReadyNotify():
	case err := <-e.Err():
		return nil, "", err
	case <-time.After(30 * time.Second):
		e.Close()
		return nil, "", errors.New("not ready after 30 s")
	}
	return e, client.String(), nil
}

// runAPIServer does what kube-apiserver's own command does (cmd/kube-apiserver/app.NewAPIServerCommand),
// with a listener and a context given from outside.
func runAPIServer(ctx context.Context, l net.Listener, dir, etcd string, more []string) error {
	s := options.NewServerRunOptions()
	s.SecureServing.Listener = l
	s.SecureServing.BindPort = l.Addr().(*net.TCPAddr).Port
	s.SecureServing.BindAddress = l.Addr().(*net.TCPAddr).IP
	fs := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	sets := s.Flags()
	for _, f := range sets.FlagSets {
		fs.AddFlagSet(f)
	}
	in := func(n string) string { return filepath.Join(dir, n) }
	args := append([]string{
		"--etcd-servers=" + etcd,
		"--service-cluster-ip-range=10.96.0.0/16",
		// No endpoints of the 'kubernetes' Service: 127.0.0.1 is not allowed in them.
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		"--tls-cert-file=" + in("apiserver.crt"),
		"--tls-private-key-file=" + in("apiserver.key"),
		"--client-ca-file=" + in("ca.crt"),
		"--token-auth-file=" + in("tokens.csv"),
		"--anonymous-auth=true", // /readyz and /livez without a token
		"--authorization-mode=Node,RBAC",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + in("sa.pub"),
		"--service-account-signing-key-file=" + in("sa.key"),
		"--api-audiences=https://kubernetes.default.svc.cluster.local",
		"--requestheader-client-ca-file=" + in("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + in("front-proxy-client.crt"),
		"--proxy-client-key-file=" + in("front-proxy-client.key"),
		"--allow-privileged=true",
		"--profiling=false",
		"--shutdown-delay-duration=0s",
	}, more...)
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := s.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	logs.InitLogs()
	if err := logsapi.ValidateAndApply(s.Logs, utilfeature.DefaultFeatureGate); err != nil {
		return err
	}
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	o, err := s.Complete(ctx)
	if err != nil {
		return err
	}
	if errs := o.Validate(); len(errs) != 0 {
		return utilerrors.NewAggregate(errs)
	}
	return app.Run(ctx, o)
}

func waitReady(ctx context.Context, base string, p *pki, done <-chan error, timeout time.Duration) error {
	pool := x509.NewCertPool()
	pool.AddCert(p.ca.cert)
	c := &http.Client{
		Timeout:   2 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}},
	}
	defer c.CloseIdleConnections()
	end := time.After(timeout)
	last := "no answer"
	for {
		select {
		case err := <-done:
			return fmt.Errorf("kube-apiserver ended: %v", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-end:
			return fmt.Errorf("/readyz not ok after %v: %s", timeout, last)
		case <-time.After(50 * time.Millisecond):
		}
		r, err := c.Get(base + "/readyz")
		if err != nil {
			last = err.Error()
			continue
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.StatusCode == http.StatusOK {
			return nil
		}
		last = strings.TrimSpace(string(b))
	}
}
