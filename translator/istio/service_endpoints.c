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
	bool is_sorted = true; /* slices are named after their service, so mostly they are */
	for (size_t i = 1; i < index.n && is_sorted; i++)
		is_sorted = compare_slices(&index.v[i - 1], &index.v[i]) <= 0;
	if (!is_sorted)
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

/* One address of a slice or subset, whatever the port. */
struct place {
	const char *address;
	const struct workload_source *pod; /* NULL: none known */
	bool is_ready;                     /* else it serves, but gets no traffic */
	enum endpoint_health health;
};

struct places {
	VEC(struct place) v;
};

/*
 * The pod that an address belongs to. A reference counts, for pods on the host's network share addresses; the address
 * is the faster way where both agree, which is nearly always.
 */
static const struct workload_source *find_pod(const struct service_draft *sd, const k8s_object_reference *target,
                                              const char *address)
{
	const struct workloads *workloads = sd->draft->istio->workloads;
	const struct workload_source *pod = workloads_pod_at(workloads, address);
	if (!target || !text_equal(target->kind, "Pod") || !target->name)
		return pod;
	const char *namespace = text_is_empty(target->namespace_) ? sd->object->namespace : target->namespace_;
	if (pod && strcmp(pod->object->name, target->name) == 0 && strcmp(pod->object->namespace, namespace) == 0)
		return pod;
	return workloads_pod(workloads, namespace, target->name);
}

static void add_place(struct service_draft *sd, struct places *places, const char *written,
                      const k8s_object_reference *target, bool is_ready, enum endpoint_health health)
{
	const char *address = written ? address_canonical(sd->draft->arena, written) : NULL;
	if (address)
		VEC_PUSH(sd->draft->arena, &places->v,
		         (struct place){address, find_pod(sd, target, address), is_ready, health});
}

/* All places serve the port at this number. */
static void add_places(struct service_draft *sd, const struct places *places, size_t port_i, uint32_t number)
{
	static const struct endpoint plain = {
	    .locality = {"", "", ""}, .namespace = "", .workload = "", .service_account = "", .network = ""};
	endpoint_list_reserve(sd->draft->arena, &sd->lists[port_i], places->v.n);
	for (size_t i = 0; i < places->v.n; i++) {
		const struct place *place = &places->v.v[i];
		draft_add_served(sd->draft, place->address, sd->service, &sd->ports[port_i], number);
		if (!place->is_ready)
			continue;
		struct endpoint endpoint = place->pod ? place->pod->endpoint : plain;
		endpoint.address = place->address;
		endpoint.port = number;
		endpoint.health = place->health;
		/* zero: nothing but an address */
		endpoint_list_add(sd->draft->arena, &sd->lists[port_i], &endpoint,
		                  place->pod ? place->pod->identity : (struct digest){{0, 0}});
	}
}

bool service_port_is_valid(bool has, int32_t number)
{
	return has && number > 0 && number <= PORT_MAX;
}

/* Kubernetes' protocol of a port, NULL meaning TCP. */
static bool service_port_is_tcp(const char *protocol)
{
	return text_is_empty(protocol) || strcmp(protocol, "TCP") == 0;
}

/* A slice's or subset's port carries the service port's name and the number it has there. */
static void add_port(struct service_draft *sd, const struct places *places, const char *name, const char *protocol,
                     bool has_number, int32_t number)
{
	if (!service_port_is_valid(has_number, number) || !service_port_is_tcp(protocol))
		return;
	for (size_t i = 0; i < sd->service->n_ports; i++)
		if (!name || strcmp(sd->ports[i].name, name) == 0)
			add_places(sd, places, i, (uint32_t)number);
}

static void add_slice_endpoint(struct service_draft *sd, struct places *places, const k8s_endpoint *endpoint)
{
	const k8s_endpoint_conditions *is = endpoint->conditions;
	bool is_ready = !is || !is->has_ready || is->ready || sd->is_publishing_not_ready;
	/* What shuts down but still answers keeps its sessions; without sessions it only would get new requests. */
	bool is_draining = !is_ready && sd->is_draining_kept && (!is->has_serving || is->serving) &&
	                   (!is->has_terminating || is->terminating);
	for (size_t i = 0; i < endpoint->n_addresses; i++)
		add_place(sd, places, endpoint->addresses[i], endpoint->targetref, is_ready || is_draining,
		          is_draining ? ENDPOINT_DRAINING : ENDPOINT_HEALTHY);
}

static void add_slice(struct service_draft *sd, const k8s_endpoint_slice *slice)
{
	if (text_equal(slice->addresstype, "FQDN"))
		return;
	struct places places = {0};
	VEC_RESERVE(sd->draft->arena, &places.v, slice->n_endpoints);
	for (size_t i = 0; i < slice->n_endpoints; i++)
		add_slice_endpoint(sd, &places, slice->endpoints[i]);
	for (size_t i = 0; i < slice->n_ports; i++) {
		const k8s_discovery_endpoint_port *port = slice->ports[i];
		add_port(sd, &places, port->name, port->protocol, port->has_port, port->port);
	}
}

static void add_subset(struct service_draft *sd, const k8s_endpoint_subset *subset)
{
	struct places places = {0};
	for (size_t i = 0; i < subset->n_addresses; i++)
		add_place(sd, &places, subset->addresses[i]->ip, subset->addresses[i]->targetref, true,
		          ENDPOINT_HEALTHY);
	for (size_t i = 0; i < subset->n_notreadyaddresses; i++)
		add_place(sd, &places, subset->notreadyaddresses[i]->ip, subset->notreadyaddresses[i]->targetref,
		          sd->is_publishing_not_ready, ENDPOINT_HEALTHY);
	for (size_t i = 0; i < subset->n_ports; i++) {
		const k8s_core_endpoint_port *port = subset->ports[i];
		add_port(sd, &places, port->name, port->protocol, port->has_port, port->port);
	}
}

static void add_endpoints_object(struct service_draft *sd)
{
	const struct object *object =
	    snapshot_get(sd->draft->snapshot, KIND_ENDPOINTS, sd->object->namespace, sd->object->name);
	const k8s_endpoints *endpoints = object ? (const k8s_endpoints *)object->message : NULL;
	for (size_t i = 0; endpoints && i < endpoints->n_subsets; i++)
		add_subset(sd, endpoints->subsets[i]);
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
		endpoint_list_seal(sd->draft, &sd->lists[i], &sd->ports[i]);
}
