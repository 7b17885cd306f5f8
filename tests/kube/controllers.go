package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	cacheddiscovery "k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher"
	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/kubernetes/pkg/controller/endpointslice"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
)

func controllerNames() string {
	return "serviceaccount, rootca, namespace, gc, endpointslice, deployment, replicaset, fakenode"
}

// startControllers runs the named controllers of kube-controller-manager by their own constructors,
// in this process, as the admin.
func startControllers(ctx context.Context, list string, p *pki) error {
	want := map[string]bool{}
	for _, n := range strings.Split(list, ",") {
		if n != "" && n != "none" {
			want[n] = true
		}
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", p.path("kubeconfig"))
	if err != nil {
		return err
	}
	cfg.QPS, cfg.Burst = 500, 1000
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	meta, err := metadata.NewForConfig(cfg)
	if err != nil {
		return err
	}
	inf := informers.NewSharedInformerFactory(client, 12*time.Hour)
	metaInf := informerfactory.NewInformerFactory(inf, metadatainformer.NewSharedInformerFactory(meta, 12*time.Hour))
	started := make(chan struct{})
	core := inf.Core().V1()

	run := map[string]func() (func(), error){
		"serviceaccount": func() (func(), error) {
			c, err := serviceaccount.NewServiceAccountsController(logger(ctx), core.ServiceAccounts(), core.Namespaces(), client, serviceaccount.DefaultServiceAccountsControllerOptions())
			if err != nil {
				return nil, err
			}
			return func() { c.Run(ctx, 2) }, nil
		},
		"rootca": func() (func(), error) {
			ca, err := os.ReadFile(p.path("ca.crt"))
			if err != nil {
				return nil, err
			}
			c, err := rootcacertpublisher.NewPublisher(core.ConfigMaps(), core.Namespaces(), client, ca)
			if err != nil {
				return nil, err
			}
			return func() { c.Run(ctx, 2) }, nil
		},
		"namespace": func() (func(), error) {
			c := namespace.NewNamespaceController(ctx, client, meta, client.Discovery().ServerPreferredNamespacedResources, core.Namespaces(), 5*time.Minute, v1.FinalizerKubernetes)
			return func() { c.Run(ctx, 4) }, nil
		},
		"gc": func() (func(), error) {
			disc := cacheddiscovery.NewMemCacheClient(client.Discovery())
			m := restmapper.NewDeferredDiscoveryRESTMapper(disc)
			m.Reset()
			c, err := garbagecollector.NewGarbageCollector(ctx, client, meta, m, garbagecollector.DefaultIgnoredResources(), metaInf, started)
			if err != nil {
				return nil, err
			}
			go c.Sync(ctx, client.Discovery(), 10*time.Second)
			return func() { c.Run(ctx, 4, 30*time.Second) }, nil
		},
		"endpointslice": func() (func(), error) {
			c := endpointslice.NewController(ctx, core.Pods(), core.Services(), core.Nodes(), inf.Discovery().V1().EndpointSlices(), 100, client, 0)
			return func() { c.Run(ctx, 4) }, nil
		},
		"deployment": func() (func(), error) {
			c, err := deployment.NewDeploymentController(ctx, inf.Apps().V1().Deployments(), inf.Apps().V1().ReplicaSets(), core.Pods(), client)
			if err != nil {
				return nil, err
			}
			return func() { c.Run(ctx, 4) }, nil
		},
		"replicaset": func() (func(), error) {
			c := replicaset.NewReplicaSetController(ctx, inf.Apps().V1().ReplicaSets(), core.Pods(), client, replicaset.BurstReplicas)
			return func() { c.Run(ctx, 4) }, nil
		},
		"fakenode": func() (func(), error) {
			c := newFakeNode(client, core.Pods())
			return func() { c.run(ctx, 8) }, nil
		},
	}
	var start []func()
	for n := range want {
		mk, ok := run[n]
		if !ok {
			return fmt.Errorf("no controller %q; there are %s", n, controllerNames())
		}
		s, err := mk()
		if err != nil {
			return fmt.Errorf("%s: %w", n, err)
		}
		start = append(start, s)
	}
	metaInf.Start(ctx.Done())
	close(started)
	for _, s := range start {
		go s()
	}
	// A Pod needs its namespace's 'default' ServiceAccount, or admission refuses it.
	if want["serviceaccount"] {
		if err := waitDefaultSA(ctx, client); err != nil {
			return err
		}
	}
	return nil
}
