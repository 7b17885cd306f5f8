/*
 * Kubernetes' own kinds. The API server has judged what comes from there; objects from files have not been judged by
 * anybody, so what would make a broken configuration is refused here.
 */
#include "base/text.h"
#include "base/yaml.h"
#include "crds/check.h"
#include "proto/kubernetes.h"

#include <string.h>

#define MESH_KEY "mesh"

void check_service(struct check *check, const ProtobufCMessage *message)
{
	const k8s_service_spec *spec = ((const k8s_service *)message)->spec;
	if (!spec)
		return;
	check_enter(check, "spec");
	for (size_t i = 0; i < spec->n_ports; i++) {
		const k8s_service_port *port = spec->ports[i];
		check_enter_at(check, "ports", i);
		check_port(check, "port", (uint32_t)port->port);
		if (!text_is_empty(port->name))
			check_port_name(check, "name", port->name);
		else if (spec->n_ports > 1)
			check_warn(check, "name", "Kubernetes wants names where a service has several ports");
		check_leave(check);
	}
	if (text_equal(spec->type, "ExternalName"))
		check_fqdn(check, "externalName", spec->externalname);
	check_leave(check);
}

void check_endpoint_slice(struct check *check, const ProtobufCMessage *message)
{
	const k8s_endpoint_slice *slice = (const k8s_endpoint_slice *)message;
	for (size_t i = 0; i < slice->n_ports; i++) {
		check_enter_at(check, "ports", i);
		if (slice->ports[i]->has_port)
			check_port(check, "port", (uint32_t)slice->ports[i]->port);
		check_leave(check);
	}
	bool is_fqdn = text_equal(slice->addresstype, "FQDN");
	for (size_t i = 0; i < slice->n_endpoints; i++) {
		check_enter_at(check, "endpoints", i);
		for (size_t j = 0; j < slice->endpoints[i]->n_addresses && !is_fqdn; j++) {
			check_enter_at(check, "addresses", j);
			check_ip(check, NULL, slice->endpoints[i]->addresses[j]);
			check_leave(check);
		}
		check_leave(check);
	}
}

static void check_addresses(struct check *check, const char *field, k8s_endpoint_address *const *addresses, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check_enter_at(check, field, i);
		check_ip(check, "ip", addresses[i]->ip);
		check_leave(check);
	}
}

void check_endpoints(struct check *check, const ProtobufCMessage *message)
{
	const k8s_endpoints *endpoints = (const k8s_endpoints *)message;
	for (size_t i = 0; i < endpoints->n_subsets; i++) {
		const k8s_endpoint_subset *subset = endpoints->subsets[i];
		check_enter_at(check, "subsets", i);
		check_addresses(check, "addresses", subset->addresses, subset->n_addresses);
		check_addresses(check, "notReadyAddresses", subset->notreadyaddresses, subset->n_notreadyaddresses);
		for (size_t j = 0; j < subset->n_ports; j++) {
			check_enter_at(check, "ports", j);
			check_port(check, "port", (uint32_t)subset->ports[j]->port);
			check_leave(check);
		}
		check_leave(check);
	}
}

/*
 * The MeshConfig is text in the ConfigMap: what cannot be read at all must not become "nothing is set", so the last
 * good form stays. What its fields may say is for whoever reads them.
 */
static void check_mesh_config(struct check *check, const char *text)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct yaml_reader reader;
	struct yaml_document document;

	yaml_reader_init(&reader, text, strlen(text));
	if (!yaml_reader_next(&reader, arena, &document))
		return;
	if (!document.value)
		check_error(check, NULL, "the MeshConfig is no YAML: %s", document.error.message);
	else if (document.value->type != JSON_OBJECT && document.value->type != JSON_NULL)
		check_error(check, NULL, "the MeshConfig should be an object, and is %s",
		            json_type_name(document.value->type));
}

void check_config_map(struct check *check, const ProtobufCMessage *message)
{
	const k8s_config_map *map = (const k8s_config_map *)message;
	if (!text_equal(check->object->name, kinds[KIND_CONFIG_MAP].only_name))
		return;
	for (size_t i = 0; i < map->n_data; i++) {
		if (!text_equal(map->data[i]->key, MESH_KEY) || !map->data[i]->value)
			continue;
		check_enter(check, "data");
		check_enter(check, MESH_KEY);
		check_mesh_config(check, map->data[i]->value);
		check_leave(check);
		check_leave(check);
	}
}
