package main

import (
	"net/http"
	"regexp"
	"strings"
)

// counts are of requests, by Kubernetes' verb and what it is of: "list pods", "update services/status",
// "watch gateways.networking.istio.io".
type counts struct {
	requests map[string]int // all that came
	watches  map[string]int // those that are open, by resource
}

func newCounts() counts { return counts{requests: map[string]int{}, watches: map[string]int{}} }

const kindsMax = 1000 // of requests that are told apart

// /api/v1/RESOURCE or /apis/GROUP/VERSION/RESOURCE, with namespaces/NAME/ before and /NAME, /NAME/SUBRESOURCE after it.
var apiPath = regexp.MustCompile(`^/(?:api|apis/([^/]+))/v[^/]+/(?:namespaces/[^/]+/)?([^/]+)(?:/([^/]+))?(?:/(.+))?$`)

var verbs = map[string]string{"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}

func kindOf(r *http.Request) (verb, resource string) {
	m := apiPath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		return strings.ToLower(r.Method), r.URL.Path
	}
	group, resource, name, sub := m[1], m[2], m[3], m[4]
	if group != "" {
		resource += "." + group
	}
	if sub != "" {
		resource += "/" + sub
	}
	switch watch := r.URL.Query().Get("watch"); {
	case verbs[r.Method] != "":
		return verbs[r.Method], resource
	case watch == "1" || watch == "true":
		return "watch", resource
	case name != "":
		return "get", resource
	}
	return "list", resource
}

// count counts the request; call what it gives when the request is over.
func (p *proxy) count(r *http.Request) func() {
	verb, resource := kindOf(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	key := verb + " " + resource
	if p.counts.requests[key] == 0 && len(p.counts.requests) >= kindsMax {
		key = "other"
	}
	p.counts.requests[key]++
	if verb != "watch" {
		return func() {}
	}
	p.counts.watches[resource]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.counts.watches[resource]--; p.counts.watches[resource] == 0 {
			delete(p.counts.watches, resource)
		}
	}
}
