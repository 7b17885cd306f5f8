/*
 * ServiceEntries: each host becomes one service. Entries of one namespace with one host make one service together:
 * ports, addresses and endpoints are joined, and where they disagree the oldest entry stands.
 */
#include "translator/address.h"
#include "translator/istio/service_peers.h"
#include "translator/istio/workloads.h"

#include <ctype.h>
#include <string.h>

#define PORT_MAX 65535
#define UNIX_PREFIX "unix://"
#define UNIX_PATH_BYTES_MAX 107 /* what a socket's address holds, without the final zero */

struct entry_service {
	struct service *service;
	VEC(struct service_port) ports;
	VEC(struct endpoint_list) lists; /* as ports */
	VEC(const char *) addresses;
	VEC(const char *) subject_alt_names;
};

/* One ServiceEntry while it is resolved. */
struct entry_draft {
	struct draft *draft;
	const struct object *object;
	const istio_service_entry *entry;
	enum service_resolution resolution;
	struct workload_selection pods, entries; /* that its selector matches */
};

static const char *field_at(struct arena *arena, const char *array, size_t i, const char *field)
{
	return arena_printf(arena, "spec.%s[%zu]%s", array, i, field);
}

/* ---- endpoints ---- */

static bool is_dns(enum service_resolution resolution)
{
	return resolution == SERVICE_DNS || resolution == SERVICE_DNS_LOGICAL;
}

/* The workload's own number under the port's name, else the target port, else the port. */
static uint32_t port_on(const istio_workload_entry *workload, const istio_service_port *port)
{
	for (size_t i = 0; workload && i < workload->n_ports; i++)
		if (strcmp(workload->ports[i]->key, port->name) == 0 && workload->ports[i]->value > 0 &&
		    workload->ports[i]->value <= PORT_MAX)
			return workload->ports[i]->value;
	return port->target_port ? port->target_port : port->number;
}

/* The address as the model has it; NULL when endpoints of this resolution cannot have it. Unix sockets have port 0. */
static const char *endpoint_address(struct arena *arena, const char *written, enum service_resolution resolution)
{
	const char *address = address_canonical(arena, written);
	if (address)
		return address;
	if (text_has_prefix(written, UNIX_PREFIX)) {
		const char *path = written + strlen(UNIX_PREFIX);
		return resolution == SERVICE_STATIC && strlen(path) <= UNIX_PATH_BYTES_MAX ? path : NULL;
	}
	return is_dns(resolution) && *written ? written : NULL;
}

static void add_endpoint(struct entry_draft *ed, struct endpoint_list *list, const struct endpoint *source,
                         struct digest identity, const char *address, uint32_t port, uint32_t weight)
{
	struct endpoint endpoint = *source;
	endpoint.address = address;
	endpoint.port = *address == '/' || *address == '@' ? 0 : port;
	endpoint.weight = weight;
	endpoint_list_add(ed->draft->arena, list, &endpoint, identity);
}

static void add_selected(struct entry_draft *ed, const struct workload_selection *selection,
                         const istio_service_port *port, struct endpoint_list *list)
{
	for (size_t i = 0; i < selection->n; i++) {
		const struct workload_source *source = selection->v[i];
		/* Pods have one address here: each family of a dual-stack pod is the same pod. */
		const char *address =
		    source->workload->addresses.n
		        ? endpoint_address(ed->draft->arena, source->workload->addresses.v[0], ed->resolution)
		        : NULL;
		if (address && source->is_ready)
			add_endpoint(ed, list, &source->endpoint, source->identity, address,
			             port_on(source->entry, port), source->entry ? source->entry->weight : 0);
	}
}

static struct endpoint inline_endpoint(struct entry_draft *ed, const istio_workload_entry *inline_entry)
{
	struct endpoint endpoint = {
	    .labels = ISTIO_LABELS(ed->draft->arena, inline_entry, labels),
	    .namespace = ed->object->namespace,
	    .workload = "",
	    .service_account = inline_entry->service_account,
	    .network = inline_entry->network,
	    .is_mtls = workloads_is_mtls_entry(inline_entry),
	};
	endpoint.locality = workloads_locality_of_entry(ed->draft->arena, inline_entry);
	endpoint_add_topology(ed->draft->arena, &endpoint, "");
	return endpoint;
}

static void add_endpoints(struct entry_draft *ed, const istio_service_port *port, const char *hostname,
                          struct endpoint_list *list)
{
	const istio_service_entry *entry = ed->entry;
	for (size_t i = 0; i < entry->n_endpoints; i++) {
		const char *address = endpoint_address(ed->draft->arena, entry->endpoints[i]->address, ed->resolution);
		if (!address)
			continue;
		struct endpoint endpoint = inline_endpoint(ed, entry->endpoints[i]);
		add_endpoint(ed, list, &endpoint, endpoint_identity(&endpoint), address,
		             port_on(entry->endpoints[i], port), entry->endpoints[i]->weight);
	}
	add_selected(ed, &ed->entries, port, list);
	add_selected(ed, &ed->pods, port, list);
	if (is_dns(ed->resolution) && !entry->n_endpoints && !entry->workload_selector) {
		const struct endpoint endpoint = {
		    .locality = {"", "", ""}, .namespace = "", .workload = "", .service_account = "", .network = ""};
		add_endpoint(ed, list, &endpoint, endpoint_identity(&endpoint), hostname, port_on(NULL, port), 0);
	}
}

/* ---- ports and addresses ---- */

static void add_port(struct entry_draft *ed, struct entry_service *es, size_t i, const char *hostname)
{
	struct arena *arena = ed->draft->arena;
	const istio_service_port *port = ed->entry->ports[i];
	enum protocol protocol = PROTOCOL_AUTO;
	istio_protocol_parse(port->protocol, &protocol);
	if (port->number == 0 || port->number > PORT_MAX || protocol == PROTOCOL_UDP)
		return;
	size_t at = 0;
	while (at < es->ports.n && es->ports.v[at].number != port->number)
		at++;
	if (at == es->ports.n) {
		VEC_PUSH(arena, &es->ports,
		         (struct service_port){.number = port->number, .name = port->name, .protocol = protocol});
		VEC_PUSH(arena, &es->lists, (struct endpoint_list){0});
	} else if (es->ports.v[at].protocol != protocol) {
		report_add(ed->draft->report, ed->object, REPORT_ERROR, REASON_CONFLICT,
		           field_at(arena, "ports", i, ".protocol"),
		           "an older ServiceEntry for %s has port %u as %s, which stands", hostname, port->number,
		           protocol_name(es->ports.v[at].protocol));
	}
	add_endpoints(ed, port, hostname, &es->lists.v[at]);
}

static void add_addresses(struct entry_draft *ed, struct entry_service *es)
{
	for (size_t i = 0; i < ed->entry->n_addresses; i++) {
		const char *address = address_canonical_range(ed->draft->arena, ed->entry->addresses[i]);
		bool is_new = address != NULL;
		for (size_t j = 0; is_new && j < es->addresses.n; j++)
			is_new = strcmp(es->addresses.v[j], address) != 0;
		if (is_new)
			VEC_PUSH(ed->draft->arena, &es->addresses, address);
	}
}

static void add_subject_alt_names(struct entry_draft *ed, struct entry_service *es)
{
	for (size_t i = 0; i < ed->entry->n_subject_alt_names; i++)
		VEC_PUSH(ed->draft->arena, &es->subject_alt_names, ed->entry->subject_alt_names[i]);
}

/* ---- hosts ---- */

/* A name that Kubernetes gives to a Service in this namespace. */
static bool is_kubernetes_service(struct entry_draft *ed, const char *hostname)
{
	const char *suffix =
	    arena_printf(ed->draft->arena, ".%s.svc.%s", ed->object->namespace, ed->draft->model->mesh.domain_suffix);
	if (!text_has_suffix(hostname, suffix))
		return false;
	const char *name = arena_strndup(ed->draft->arena, hostname, strlen(hostname) - strlen(suffix));
	return snapshot_get(ed->draft->snapshot, KIND_SERVICE, ed->object->namespace, name) != NULL;
}

/* The service to add to, new or an older entry's; NULL with a row when this entry cannot have the host. */
static struct entry_service *service_for(struct entry_draft *ed, struct map *services, size_t host_i,
                                         const char *hostname)
{
	struct arena *arena = ed->draft->arena;
	const char *field = field_at(arena, "hosts", host_i, "");
	if (is_kubernetes_service(ed, hostname)) {
		report_add(ed->draft->report, ed->object, REPORT_ERROR, REASON_CONFLICT, field,
		           "%s is a Kubernetes Service of this namespace, which stands", hostname);
		return NULL;
	}
	void **slot = map_slot(arena, services, arena_printf(arena, "%s/%s", ed->object->namespace, hostname));
	struct entry_service *es = *slot;
	bool is_external = ed->entry->location == ISTIO__NETWORKING__V1ALPHA3__SERVICE_ENTRY__LOCATION__MESH_EXTERNAL;
	if (es && (es->service->resolution != ed->resolution || es->service->is_external != is_external)) {
		report_add(ed->draft->report, ed->object, REPORT_ERROR, REASON_CONFLICT, field,
		           "ServiceEntry/%s/%s, which is older, has %s with another resolution or location and stands",
		           es->service->source.object->namespace, es->service->source.object->name, hostname);
		return NULL;
	}
	if (es)
		return es;
	es = *slot = ARENA_NEW(arena, struct entry_service);
	es->service = ARENA_NEW(arena, struct service);
	*es->service = (struct service){
	    .hostname = hostname,
	    .namespace = ed->object->namespace,
	    .name = hostname,
	    .is_external = is_external,
	    .has_selector = ed->entry->workload_selector != NULL,
	    .resolution = ed->resolution,
	    .visibility = istio_visibility(ed->draft, ed->object, EXPORT_SERVICE, "spec.exportTo", ed->entry->export_to,
	                                   ed->entry->n_export_to),
	    .created_s = ed->object->created_s,
	    .source = {.object = ed->object},
	};
	return es;
}

static bool set_resolution(struct entry_draft *ed)
{
	switch (ed->entry->resolution) {
	case ISTIO__NETWORKING__V1ALPHA3__SERVICE_ENTRY__RESOLUTION__NONE:
		ed->resolution = SERVICE_ORIGINAL_DST;
		return true;
	case ISTIO__NETWORKING__V1ALPHA3__SERVICE_ENTRY__RESOLUTION__STATIC:
		ed->resolution = SERVICE_STATIC;
		return true;
	case ISTIO__NETWORKING__V1ALPHA3__SERVICE_ENTRY__RESOLUTION__DNS:
		ed->resolution = SERVICE_DNS;
		return true;
	case ISTIO__NETWORKING__V1ALPHA3__SERVICE_ENTRY__RESOLUTION__DNS_ROUND_ROBIN:
		ed->resolution = SERVICE_DNS_LOGICAL;
		return true;
	case ISTIO__NETWORKING__V1ALPHA3__SERVICE_ENTRY__RESOLUTION__DYNAMIC_DNS:
	case _ISTIO__NETWORKING__V1ALPHA3__SERVICE_ENTRY__RESOLUTION_IS_INT_SIZE:
		break;
	}
	report_add(ed->draft->report, ed->object, REPORT_ERROR, REASON_NOT_SUPPORTED, "spec.resolution",
	           "weft does not do DYNAMIC_DNS yet; the entry is left out");
	return false;
}

static void resolve_entry(struct draft *draft, const struct object *object, struct map *services)
{
	struct entry_draft ed = {
	    .draft = draft, .object = object, .entry = (const istio_service_entry *)object->message};
	if (!set_resolution(&ed))
		return;
	if (ed.entry->workload_selector) {
		struct labels selector = ISTIO_LABELS(draft->arena, ed.entry->workload_selector, labels);
		const struct workloads *workloads = draft->istio->workloads;
		ed.pods = workloads_select_pods(draft->arena, workloads, object->namespace, &selector);
		ed.entries = workloads_select_entries(draft->arena, workloads, object->namespace, &selector);
	}
	for (size_t i = 0; i < ed.entry->n_hosts; i++) {
		const char *hostname = istio_host_fqdn(draft, ed.entry->hosts[i], object->namespace);
		struct entry_service *es = service_for(&ed, services, i, hostname);
		if (!es)
			continue;
		add_addresses(&ed, es);
		add_subject_alt_names(&ed, es);
		for (size_t j = 0; j < ed.entry->n_ports; j++)
			add_port(&ed, es, j, hostname);
	}
}

static int compare_ports(const void *a, const void *b)
{
	uint32_t x = ((const struct service_port *)a)->number, y = ((const struct service_port *)b)->number;
	return (x > y) - (x < y);
}

static void seal(struct draft *draft, struct entry_service *es)
{
	for (size_t i = 0; i < es->ports.n; i++)
		endpoint_list_seal(draft, &es->lists.v[i], &es->ports.v[i]);
	VEC_SORT(&es->ports, compare_ports);
	es->service->ports = es->ports.v;
	es->service->n_ports = es->ports.n;
	es->service->addresses = (struct strings){es->addresses.v, es->addresses.n};
	es->service->subject_alt_names = service_sort_names(es->subject_alt_names.v, es->subject_alt_names.n);
	es->service->digest = service_digest(es->service);
	service_peers_resolve(draft, es->service, es->ports.v);
	VEC_PUSH(draft->arena, &draft->services, es->service);
	for (size_t i = 0; i < es->ports.n; i++) {
		const struct service_port *port = &es->ports.v[i];
		for (size_t j = 0; j < port->n_endpoints; j++)
			if (address_family_of(port->endpoints[j].address) != ADDRESS_NONE)
				draft_add_served(draft, port->endpoints[j].address, es->service, port,
				                 port->endpoints[j].port);
	}
}

/* Oldest first; the snapshot's order (namespace, name) decides among equals. */
static int compare_age(const void *pa, const void *pb)
{
	const struct object *a = *(struct object *const *)pa, *b = *(struct object *const *)pb;
	if (a->created_s != b->created_s)
		return a->created_s < b->created_s ? -1 : 1;
	return object_compare(a, b);
}

void resolve_service_entries(struct draft *draft)
{
	const struct snapshot_kind *kind = &draft->snapshot->kinds[KIND_SERVICE_ENTRY];
	VEC(struct object *) entries = {0};
	for (size_t i = 0; i < kind->n; i++)
		VEC_PUSH(draft->arena, &entries, kind->v[i]);
	VEC_SORT(&entries, compare_age);
	struct map services = {0}; /* "namespace/host" -> struct entry_service */
	for (size_t i = 0; i < entries.n; i++)
		resolve_entry(draft, entries.v[i], &services);
	for (size_t i = 0; i < services.n; i++)
		if (services.entries[i].value)
			seal(draft, services.entries[i].value);
}
