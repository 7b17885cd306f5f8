package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// fakeNode stands in for the scheduler and the kubelet: it makes a Node 'rig', binds each Pod that has no
// node to it, reports Pods that are on it as running and ready with an address of 10.244.0.0/16 (or the one
// in the Pod's annotation weft-test/pod-ip; with weft-test/not-ready they are not ready), and ends those that
// are being deleted. Nothing runs.
type fakeNode struct {
	c    kubernetes.Interface
	pods coreinformers.PodInformer
	q    workqueue.TypedRateLimitingInterface[string]
	ip   atomic.Uint32
}

const nodeName = "rig"

func newFakeNode(c kubernetes.Interface, pods coreinformers.PodInformer) *fakeNode {
	n := &fakeNode{c: c, pods: pods, q: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())}
	add := func(o any) {
		if k, err := cache.MetaNamespaceKeyFunc(o); err == nil {
			n.q.Add(k)
		}
	}
	_, _ = pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: add, UpdateFunc: func(_, o any) { add(o) }})
	return n
}

func (n *fakeNode) run(ctx context.Context, workers int) {
	node := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName, Labels: map[string]string{v1.LabelHostname: nodeName, v1.LabelTopologyZone: "zone-1", v1.LabelTopologyRegion: "region-1"}}}
	if _, err := n.c.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		logger(ctx).Error(err, "fakenode: create Node")
	}
	node.Status.Conditions = []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue, Reason: "Rig", LastTransitionTime: metav1.Now(), LastHeartbeatTime: metav1.Now()}}
	_, _ = n.c.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
	if !cache.WaitForCacheSync(ctx.Done(), n.pods.Informer().HasSynced) {
		return
	}
	// No address twice, also after a restart on the same data.
	if l := len(n.pods.Informer().GetStore().ListKeys()); l > 0 {
		n.ip.Store(uint32(l) + uint32(time.Now().Unix()%20000))
	}
	for range workers {
		go func() {
			for {
				k, stop := n.q.Get()
				if stop {
					return
				}
				if err := n.sync(ctx, k); err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
					n.q.AddRateLimited(k)
				} else {
					n.q.Forget(k)
				}
				n.q.Done(k)
			}
		}()
	}
	<-ctx.Done()
	n.q.ShutDown()
}

func (n *fakeNode) sync(ctx context.Context, key string) error {
	ns, name, _ := cache.SplitMetaNamespaceKey(key)
	p, err := n.pods.Lister().Pods(ns).Get(name)
	if err != nil {
		return err
	}
	api := n.c.CoreV1().Pods(ns)
	switch {
	case p.Spec.NodeName == "":
		if p.DeletionTimestamp != nil {
			return nil
		}
		return api.Bind(ctx, &v1.Binding{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: ns, UID: p.UID}, Target: v1.ObjectReference{Kind: "Node", Name: nodeName}}, metav1.CreateOptions{})
	case p.Spec.NodeName != nodeName:
		return nil
	case p.DeletionTimestamp != nil:
		zero := int64(0)
		return api.Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &zero, Preconditions: metav1.NewUIDPreconditions(string(p.UID))})
	}
	ready := v1.ConditionTrue
	if _, not := p.Annotations["weft-test/not-ready"]; not {
		ready = v1.ConditionFalse
	}
	ip := p.Annotations["weft-test/pod-ip"]
	if ip == "" {
		ip = p.Status.PodIP
	}
	if ip != "" && p.Status.PodIP == ip && p.Status.Phase == v1.PodRunning {
		for _, c := range p.Status.Conditions {
			if c.Type == v1.PodReady && c.Status == ready {
				return nil
			}
		}
	}
	if ip == "" {
		i := n.ip.Add(1)
		ip = fmt.Sprintf("10.244.%d.%d", i/250%250, 1+i%250)
	}
	p = p.DeepCopy()
	now := metav1.Now()
	p.Status.Phase, p.Status.PodIP, p.Status.PodIPs, p.Status.StartTime = v1.PodRunning, ip, []v1.PodIP{{IP: ip}}, &now
	p.Status.Conditions = nil
	for _, t := range []v1.PodConditionType{v1.PodScheduled, v1.PodInitialized, v1.ContainersReady, v1.PodReady} {
		s := v1.ConditionTrue
		if t == v1.ContainersReady || t == v1.PodReady {
			s = ready
		}
		p.Status.Conditions = append(p.Status.Conditions, v1.PodCondition{Type: t, Status: s, LastTransitionTime: now})
	}
	p.Status.ContainerStatuses = nil
	for _, c := range p.Spec.Containers {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, v1.ContainerStatus{Name: c.Name, Image: c.Image, Ready: ready == v1.ConditionTrue, State: v1.ContainerState{Running: &v1.ContainerStateRunning{StartedAt: now}}})
	}
	_, err = api.UpdateStatus(ctx, p, metav1.UpdateOptions{})
	return err
}
