/* What Istio's tools and dashboards read of a resource: which object and which service it comes from. */
#include "base/text.h"
#include "translator/envoy/emit_parts.h"

PROTO_ALIAS(filter_metadata_entry, Envoy__Config__Core__V3__Metadata__FilterMetadataEntry,
            envoy__config__core__v3__metadata__filter_metadata_entry)

static google_value *service_value(struct arena *arena, const struct service *service)
{
	google_struct *object = build_struct(arena);
	build_struct_string(arena, object, "host", service->hostname);
	build_struct_string(arena, object, "name", service->name);
	build_struct_string(arena, object, "namespace", service->namespace);
	return build_value_struct(arena, object);
}

void metadata_add(struct arena *arena, envoy_metadata *metadata, const char *key, google_struct *object)
{
	filter_metadata_entry *entry = filter_metadata_entry_new(arena);
	entry->key = borrow(key);
	entry->value = object;
	BUILD_ADD(arena, metadata, filter_metadata, entry);
}

static envoy_metadata *metadata_under(struct arena *arena, const char *key, google_struct *object)
{
	envoy_metadata *metadata = envoy_metadata_new(arena);
	metadata_add(arena, metadata, key, object);
	return metadata;
}

/* Members in key order: the bytes are compared. */
envoy_metadata *metadata_build(struct arena *arena, const struct istio_metadata *metadata)
{
	google_struct *object = build_struct(arena);
	if (metadata->config)
		build_struct_string(arena, object, "config", metadata->config);
	if (metadata->n_services && metadata->services[0]->is_external)
		build_struct_bool(arena, object, "external", true);
	if (metadata->n_services) {
		google_value **services = ARENA_NEW_N(arena, google_value *, metadata->n_services);
		for (size_t i = 0; i < metadata->n_services; i++)
			services[i] = service_value(arena, metadata->services[i]);
		build_struct_value(arena, object, "services", build_value_list(arena, services, metadata->n_services));
	}
	if (!text_is_empty(metadata->subset))
		build_struct_string(arena, object, "subset", metadata->subset);
	return object->n_fields ? metadata_under(arena, NAME_METADATA, object) : NULL;
}

google_struct *metadata_mtls_match(struct arena *arena)
{
	google_struct *match = build_struct(arena);
	build_struct_string(arena, match, NAME_TLS_MODE, NAME_TLS_MODE_MESH);
	return match;
}

envoy_metadata *metadata_mtls(struct arena *arena)
{
	return metadata_under(arena, NAME_TRANSPORT_SOCKET_MATCH, metadata_mtls_match(arena));
}
