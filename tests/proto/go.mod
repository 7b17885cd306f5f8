// Upstream's .proto files, for check_subset.py: fetched by `go mod download`, never built.
module weft/tests/proto

go 1.24

require (
	istio.io/api v1.31.1
	k8s.io/api v0.37.2
	k8s.io/apimachinery v0.37.2
)
