#include "translator/istio/service_endpoints.h"

#include "translator/address.h"

#include <string.h>

#define LABEL_SERVICE_NAME "kubernetes.io/service-name"
#define PORT_MAX 65535

/* ---- EndpointSlices by service ---- */

static int compare_slices(const void *pa, const void *pb)
{
	const struct slice_ref *a = pa, *b = pb;
	int order = strcmp(a->namespace, b->namespace);
	if (!order)
		order = strcmp(a->service, b->service);
	return order ? order : (a->order > b->order) - (a->order < b->order);
}

struct slice_index slice_index_new(struct draft *draft)
{
	const struct snapshot_kind *kind = &draft->snapshot->kinds[KIND_ENDPOINT_SLICE];
	struct slice_index index = {ARENA_NEW_N(draft->arena, struct slice_ref, kind->n), 0};
	for (size_t i = 0; i < kind->n; i++) {
		const char *service = object_label(kind->v[i], LABEL_SERVICE_NAME);
		const k8s_endpoint_slice *slice = (const k8s_endpoint_slice *)kind->v[i]->message;
		if (!text_is_empty(service))
			index.v[index.n++] = (struct slice_ref){kind->v[i]->namespace, service, slice, i};
	}
	if (index.n > 1)
		qsort(index.v, index.n, sizeof *index.v, compare_slices);
	return index;
}

/* The first slice of the service, or index->n. */
static size_t find_slices(const struct slice_index *index, const char *namespace, const char *service)
{
	const struct slice_ref key = {namespace, service, NULL, 0};
	size_t low = 0, n = index->n;
	while (n > 0) {
		size_t half = n / 2;
		if (compare_slices(&index->v[low + half], &key) < 0) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return low;
}

/* ---- endpoints ---- */

/* The pod that an address belongs to. References count, addresses are the fallback: pods on the host's network share
 * theirs. */
static const struct workload_source *find_pod(const struct service_draft *sd, const k8s_object_reference *target,
                                              const char *address)
{
	const struct workloads *workloads = sd->draft->istio->workloads;
	if (target && text_equal(target->kind, "Pod") && target->name) {
		const char *namespace = text_is_empty(target->namespace_) ? sd->object->namespace : target->namespace_;
		return workloads_pod(workloads, namespace, target->name);
	}
	return workloads_pod_at(workloads, address);
}

/* One address on one port of the service. Not ready: it serves, but gets no traffic. */
static void add_endpoint(struct service_draft *sd, size_t port_i, const char *address, uint32_t number,
                         const struct workload_source *pod, bool is_ready, enum endpoint_health health)
{
	draft_add_served(sd->draft, address, sd->service, &sd->ports[port_i], number);
	if (!is_ready)
		return;
	struct endpoint endpoint = {
	    .locality = {"", "", ""}, .namespace = "", .workload = "", .service_account = "", .network = ""};
	struct digest identity = {{0, 0}}; /* of an endpoint that is nothing but an address */
	if (pod) {
		endpoint = pod->endpoint;
		identity = pod->identity;
	}
	endpoint.address = address;
	endpoint.port = number;
	endpoint.health = health;
	endpoint_list_add(sd->draft->arena, &sd->lists[port_i], &endpoint, identity);
}

bool service_port_is_valid(bool has, int32_t number)
{
	return has && number > 0 && number <= PORT_MAX;
}

/* A slice's or subset's port carries the service port's name and the number it has there. */
static bool is_same_port_name(const struct service_port *port, const char *name)
{
	return !name || strcmp(port->name, name) == 0;
}

bool service_port_is_tcp(const char *protocol)
{
	return text_is_empty(protocol) || strcmp(protocol, "TCP") == 0;
}

static void add_slice_endpoint(struct service_draft *sd, const k8s_endpoint_slice *slice, const k8s_endpoint *endpoint,
                               const char *written_address)
{
	const char *address = address_canonical(sd->draft->arena, written_address);
	if (!address)
		return;
	const k8s_endpoint_conditions *is = endpoint->conditions;
	bool is_ready = !is || !is->has_ready || is->ready || sd->is_publishing_not_ready;
	/* What shuts down but still answers keeps its sessions; without sessions it only would get new requests. */
	bool is_draining = !is_ready && sd->is_draining_kept && (!is->has_serving || is->serving) &&
	                   (!is->has_terminating || is->terminating);
	const struct workload_source *pod = find_pod(sd, endpoint->targetref, address);
	for (size_t p = 0; p < sd->service->n_ports; p++)
		for (size_t i = 0; i < slice->n_ports; i++) {
			const k8s_discovery_endpoint_port *port = slice->ports[i];
			if (service_port_is_valid(port->has_port, port->port) && service_port_is_tcp(port->protocol) &&
			    is_same_port_name(&sd->ports[p], port->name))
				add_endpoint(sd, p, address, (uint32_t)port->port, pod, is_ready || is_draining,
				             is_draining ? ENDPOINT_DRAINING : ENDPOINT_HEALTHY);
		}
}

static void add_slice(struct service_draft *sd, const k8s_endpoint_slice *slice)
{
	if (text_equal(slice->addresstype, "FQDN"))
		return;
	for (size_t i = 0; i < slice->n_endpoints; i++)
		for (size_t j = 0; j < slice->endpoints[i]->n_addresses; j++)
			add_slice_endpoint(sd, slice, slice->endpoints[i], slice->endpoints[i]->addresses[j]);
}

static void add_subset_addresses(struct service_draft *sd, const k8s_endpoint_subset *subset,
                                 k8s_endpoint_address *const *addresses, size_t n, bool is_ready)
{
	for (size_t i = 0; i < n; i++) {
		const char *address = addresses[i]->ip ? address_canonical(sd->draft->arena, addresses[i]->ip) : NULL;
		if (!address)
			continue;
		const struct workload_source *pod = find_pod(sd, addresses[i]->targetref, address);
		for (size_t p = 0; p < sd->service->n_ports; p++)
			for (size_t j = 0; j < subset->n_ports; j++) {
				const k8s_core_endpoint_port *port = subset->ports[j];
				if (service_port_is_valid(port->has_port, port->port) &&
				    service_port_is_tcp(port->protocol) && is_same_port_name(&sd->ports[p], port->name))
					add_endpoint(sd, p, address, (uint32_t)port->port, pod, is_ready,
					             ENDPOINT_HEALTHY);
			}
	}
}

static void add_endpoints_object(struct service_draft *sd)
{
	const struct object *object =
	    snapshot_get(sd->draft->snapshot, KIND_ENDPOINTS, sd->object->namespace, sd->object->name);
	const k8s_endpoints *endpoints = object ? (const k8s_endpoints *)object->message : NULL;
	for (size_t i = 0; endpoints && i < endpoints->n_subsets; i++) {
		const k8s_endpoint_subset *subset = endpoints->subsets[i];
		add_subset_addresses(sd, subset, subset->addresses, subset->n_addresses, true);
		add_subset_addresses(sd, subset, subset->notreadyaddresses, subset->n_notreadyaddresses,
		                     sd->is_publishing_not_ready);
	}
}

/* ---- WorkloadEntries that a Service selects, as if they were pods ---- */

static uint32_t entry_port(const istio_workload_entry *entry, const char *name)
{
	for (size_t i = 0; i < entry->n_ports; i++)
		if (strcmp(entry->ports[i]->key, name) == 0 && entry->ports[i]->value <= PORT_MAX)
			return entry->ports[i]->value;
	return 0;
}

/* By the entry's own map (under the service port's or the target's name), else the target number, else the port itself.
 */
static uint32_t target_port_on(const istio_workload_entry *entry, const k8s_service_port *port)
{
	uint32_t number = entry_port(entry, port->name ? port->name : "");
	if (number)
		return number;
	const k8s_int_or_string *target = port->targetport;
	if (target && !text_is_empty(target->strval))
		return entry_port(entry, target->strval);
	if (target && service_port_is_valid(target->has_intval, target->intval))
		return (uint32_t)target->intval;
	return (uint32_t)port->port;
}

static const k8s_service_port *spec_port(const k8s_service_spec *spec, uint32_t number)
{
	for (size_t i = 0; i < spec->n_ports; i++)
		if ((uint32_t)spec->ports[i]->port == number && service_port_is_tcp(spec->ports[i]->protocol))
			return spec->ports[i];
	return NULL;
}

static void add_workload_entries(struct service_draft *sd)
{
	struct labels selector = ISTIO_LABELS(sd->draft->arena, sd->spec, selector);
	struct workload_selection entries =
	    workloads_select_entries(sd->draft->arena, sd->draft->istio->workloads, sd->object->namespace, &selector);
	for (size_t i = 0; i < entries.n; i++) {
		const struct workload_source *source = entries.v[i];
		if (!source->workload->addresses.n ||
		    address_family_of(source->workload->addresses.v[0]) == ADDRESS_NONE)
			continue;
		for (size_t p = 0; p < sd->service->n_ports; p++) {
			uint32_t number = target_port_on(source->entry, spec_port(sd->spec, sd->ports[p].number));
			if (!number)
				continue;
			struct endpoint endpoint = source->endpoint;
			endpoint.address = source->workload->addresses.v[0];
			endpoint.port = number;
			endpoint.weight = source->entry->weight;
			draft_add_served(sd->draft, endpoint.address, sd->service, &sd->ports[p], number);
			endpoint_list_add(sd->draft->arena, &sd->lists[p], &endpoint, source->identity);
		}
	}
}

void service_endpoints_resolve(struct service_draft *sd, const struct slice_index *slices)
{
	const char *namespace = sd->object->namespace, *name = sd->object->name;
	size_t at = find_slices(slices, namespace, name), first = at;
	for (; at < slices->n && strcmp(slices->v[at].namespace, namespace) == 0 &&
	       strcmp(slices->v[at].service, name) == 0;
	     at++)
		add_slice(sd, slices->v[at].slice);
	if (at == first)
		add_endpoints_object(sd);
	add_workload_entries(sd);
	for (size_t i = 0; i < sd->service->n_ports; i++)
		endpoint_list_seal(sd->draft->arena, &sd->lists[i], &sd->ports[i]);
}
