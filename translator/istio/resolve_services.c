/* Kubernetes Services: each becomes one service with its TCP ports. */
#include "translator/address.h"
#include "translator/istio/service_endpoints.h"
#include "translator/istio/service_peers.h"

#include <ctype.h>
#include <string.h>

#define LABEL_PERSISTENT_SESSION "istio.io/persistent-session"
#define ANNOTATION_EXPORT_TO "networking.istio.io/exportTo"

static int compare_ports(const void *a, const void *b)
{
	uint32_t x = ((const struct service_port *)a)->number, y = ((const struct service_port *)b)->number;
	return (x > y) - (x < y);
}

static bool has_port(const struct service_port *ports, size_t n, uint32_t number)
{
	for (size_t i = 0; i < n; i++)
		if (ports[i].number == number)
			return true;
	return false;
}

/* The TCP ports by number. */
static void set_ports(struct service_draft *sd)
{
	const k8s_service_spec *spec = sd->spec;
	sd->ports = ARENA_NEW_N(sd->draft->arena, struct service_port, spec->n_ports);
	size_t n = 0;
	for (size_t i = 0; i < spec->n_ports; i++) {
		const k8s_service_port *port = spec->ports[i];
		if (!service_port_is_valid(port->has_port, port->port))
			continue;
		uint32_t number = (uint32_t)port->port;
		enum protocol protocol = istio_protocol_select(number, port->protocol, port->name, port->appprotocol);
		if (protocol == PROTOCOL_UDP)
			continue;
		if (has_port(sd->ports, n, number)) {
			report_add(sd->draft->report, sd->object, REPORT_ERROR, REASON_CONFLICT,
			           arena_printf(sd->draft->arena, "spec.ports[%zu].port", i),
			           "port %u is there twice; the first stands", number);
			continue;
		}
		sd->ports[n++] =
		    (struct service_port){.number = number, .name = port->name ? port->name : "", .protocol = protocol};
	}
	if (n > 1)
		qsort(sd->ports, n, sizeof *sd->ports, compare_ports);
	sd->service->ports = sd->ports;
	sd->service->n_ports = n;
	sd->lists = ARENA_NEW_N(sd->draft->arena, struct endpoint_list, n);
}

static struct strings cluster_addresses(struct arena *arena, const k8s_service_spec *spec)
{
	VEC(const char *) addresses = {0};
	for (size_t i = 0; i < spec->n_clusterips; i++) {
		const char *address = address_canonical(arena, spec->clusterips[i]);
		if (address)
			VEC_PUSH(arena, &addresses, address);
	}
	const char *address = !addresses.n && spec->clusterip ? address_canonical(arena, spec->clusterip) : NULL;
	if (address)
		VEC_PUSH(arena, &addresses, address);
	return (struct strings){addresses.v, addresses.n};
}

/* The annotation is a list with commas. */
static struct visibility visibility_of_service(struct draft *draft, const struct object *object)
{
	const char *annotation = object_annotation(object, ANNOTATION_EXPORT_TO);
	VEC(char *) values = {0};
	while (!text_is_empty(annotation)) {
		annotation += strspn(annotation, ", \t");
		size_t n = strcspn(annotation, ", \t");
		if (n)
			VEC_PUSH(draft->arena, &values, arena_strndup(draft->arena, annotation, n));
		annotation += n;
	}
	return istio_visibility(draft, object, EXPORT_SERVICE, "metadata.annotations[" ANNOTATION_EXPORT_TO "]",
	                        values.v, values.n);
}

static const char *alias_of(struct arena *arena, const char *external_name)
{
	char *alias = arena_strdup(arena, external_name);
	for (char *c = alias; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	size_t n = strlen(alias);
	if (n && alias[n - 1] == '.')
		alias[n - 1] = '\0';
	return alias;
}

static void set_resolution(struct service_draft *sd)
{
	struct service *service = sd->service;
	const k8s_service_spec *spec = sd->spec;
	if (text_equal(spec->type, "ExternalName") && !text_is_empty(spec->externalname)) {
		service->resolution = SERVICE_ALIAS;
		service->alias = alias_of(sd->draft->arena, spec->externalname);
		return;
	}
	service->is_headless =
	    text_equal(spec->clusterip, "None") || (spec->n_clusterips && text_equal(spec->clusterips[0], "None"));
	service->resolution = service->is_headless ? SERVICE_ORIGINAL_DST : SERVICE_STATIC;
	service->addresses = cluster_addresses(sd->draft->arena, spec);
}

static void resolve_service(struct draft *draft, const struct object *object, const struct slice_index *slices)
{
	static const k8s_service_spec empty = K8S__IO__API__CORE__V1__SERVICE_SPEC__INIT;
	const k8s_service *message = (const k8s_service *)object->message;
	struct service_draft sd = {
	    .draft = draft,
	    .object = object,
	    .spec = message->spec ? message->spec : &empty,
	    .service = ARENA_NEW(draft->arena, struct service),
	    .is_draining_kept = object_label(object, LABEL_PERSISTENT_SESSION) != NULL,
	};
	sd.is_publishing_not_ready = sd.spec->has_publishnotreadyaddresses && sd.spec->publishnotreadyaddresses;
	*sd.service = (struct service){
	    .hostname = istio_host_fqdn(draft, object->name, object->namespace),
	    .namespace = object->namespace,
	    .name = object->name,
	    .is_kubernetes = true,
	    .has_selector = sd.spec->n_selector > 0,
	    .visibility = visibility_of_service(draft, object),
	    .created_s = object->created_s,
	    .source = {.object = object},
	};
	set_ports(&sd);
	set_resolution(&sd);
	service_endpoints_resolve(&sd, slices);
	sd.service->digest = service_digest(sd.service);
	service_peers_resolve(draft, sd.service, sd.ports);
	VEC_PUSH(draft->arena, &draft->services, sd.service);
}

void resolve_services(struct draft *draft)
{
	struct slice_index slices = slice_index_new(draft);
	const struct snapshot_kind *kind = &draft->snapshot->kinds[KIND_SERVICE];
	for (size_t i = 0; i < kind->n; i++)
		resolve_service(draft, kind->v[i], &slices);
}
