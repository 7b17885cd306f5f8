#pragma once
/*
 * Policies of CUSTOM in filter chains. RBAC's shadow rules find out whether a policy matches and say so in metadata,
 * where the filter behind them looks whether to ask the provider. Where nobody can be asked, rules that deny stand
 * there instead.
 */
#include "translator/envoy/emit_parts.h"
#include "translator/envoy/rbac.h"

struct filter_config {
	const char *name;
	const ProtobufCMessage *config;
};

struct filter_configs {
	const struct filter_config *v;
	size_t n;
};

/* Of emit->authz, in order; none without policies of CUSTOM, and for connections none when the provider is asked by
 * HTTP. */
struct filter_configs ext_authz_filters(const struct emit *emit, enum rbac_transport transport);

/* The filters that ask. */
const ProtobufCMessage *ext_authz_http(struct arena *arena, const struct authz_provider *provider);
const ProtobufCMessage *ext_authz_network(struct arena *arena, const struct authz_provider *provider);
