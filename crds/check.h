#pragma once
/*
 * Judging one object by itself: what Istio's validation would say of it, with the place in the object for each finding.
 *
 * A check walks its message and tells where it is as it goes; nothing is computed unless there is something to say.
 *
 *     for (size_t i = 0; i < route->n_match; i++) {
 *             check_enter_at(check, "match", i);                       spec.http[0].match[2]
 *             check_port(check, "port", route->match[i]->port);        spec.http[0].match[2].port
 *             if (...)
 *                     check_error(check, "uri", "must not be empty");
 *             check_leave(check);
 *     }
 *
 * A field is named as users write it (camelCase); NULL means the place itself. An error keeps the object from taking
 * effect; a warning does not. Findings become codec issues, so that they mix with those of decoding, each with its
 * line.
 *
 * There is one file for each kind, check_KIND.c, with the one function that kinds.c names; functions for values that
 * many kinds have stand below.
 */
#include "base/arena.h"
#include "base/map.h"
#include "crds/object.h"
#include "proto/google.h"
#include "proto/istio.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECK_DEPTH_MAX 32     /* places within one another; messages are not recursive, so a bug when passed */
#define CHECK_REGEX_MAX 1024   /* characters of a pattern, as in Istio */
#define CHECK_RECORDS_MAX 4096 /* entries of a list that are compared with one another */
#define CHECK_URL_MAX 2048     /* characters of a URL, as in Istio's definitions */
#define CHECK_TARGETS_MAX 16   /* objects that a policy is attached to, as in Istio's definitions */

struct check_step {
	const char *field, *key; /* key: NULL unless the field is a map */
	size_t index;            /* SIZE_MAX: not of a list */
};

struct check {
	const struct object *object; /* its metadata; the message is not set yet */

	/* private */
	struct arena *arena;
	const struct json *document; /* for lines */
	struct codec_issues *issues;
	struct check_step steps[CHECK_DEPTH_MAX];
	size_t n_steps;
	bool has_error;
};

/* Steps into a field, a list's element, a map's value; each is undone by one leave. */
void check_enter(struct check *check, const char *field);
void check_enter_at(struct check *check, const char *field, size_t index);
void check_enter_key(struct check *check, const char *field, const char *key);
void check_leave(struct check *check);

__attribute__((format(printf, 3, 4))) void check_error(struct check *check, const char *field, const char *format, ...);
__attribute__((format(printf, 3, 4))) void check_warn(struct check *check, const char *field, const char *format, ...);

/* Whether the document has the field where the check stands, be it empty: `to: []`. */
bool check_is_written(const struct check *check, const char *field);

/* Runs the check of the object's kind on its message. False when there is an error. */
bool check_object(struct arena *arena, const struct object *object, const struct json *document,
                  const ProtobufCMessage *message, struct codec_issues *issues);

/* Numbers. */
void check_port(struct check *check, const char *field, uint32_t port); /* 1..65535 */
void check_not_negative(struct check *check, const char *field, int64_t value);
void check_percent(struct check *check, const char *field, double value); /* 0..100 */
void check_duration(struct check *check, const char *field,
                    const google_duration *value); /* ≥ 1 ms, whole ms; NULL is fine */

/* Names. */
void check_fqdn(struct check *check, const char *field, const char *value);
void check_wildcard_host(struct check *check, const char *field, const char *value);
void check_port_name(struct check *check, const char *field, const char *value);
void check_subset_name(struct check *check, const char *field, const char *value);
void check_label(struct check *check, const char *field, const char *key, const char *value);
void check_selector_label(struct check *check, const char *field, const char *key, const char *value);
bool check_can_select(const char *key, const char *value); /* whether check_selector_label lets it pass */
void check_ip(struct check *check, const char *field, const char *value);
void check_ip_or_cidr(struct check *check, const char *field, const char *value);
void check_unix_address(struct check *check, const char *field, const char *value); /* after "unix://" */
void check_regex(struct check *check, const char *field, const char *pattern);
bool check_is_header_name(const char *name); /* letters, digits, "-" and "_" */
/* An http or https URL with a host, as a proxy can fetch it. */
void check_http_url(struct check *check, const char *field, const char *url);
/* A list of texts, none of which may be empty. */
void check_no_empty(struct check *check, const char *field, char *const *values, size_t n);
/* `exportTo` of ServiceEntry may be "~"; that of a DestinationRule with a selector must not reach beyond its namespace.
 */
struct check_export_to {
	char *const *values;
	size_t n;
	bool may_be_none, is_local_only;
};
void check_export_to(struct check *check, const struct check_export_to *export_to);

/* The labels of a map field, as check_label. */
#define CHECK_LABELS(check, field, message, map)                                                                       \
	do {                                                                                                           \
		for (size_t label_i = 0; label_i < (message)->n_##map; label_i++)                                      \
			check_label((check), (field), (message)->map[label_i]->key, (message)->map[label_i]->value);   \
	} while (0)

#define CHECK_UNIX_PREFIX "unix://"

/* Protocols of ports in Istio's APIs, in any case; NULL for one that is not supported. */
struct check_protocol {
	const char *name;
	bool is_http, is_tls, is_tcp; /* HTTPS and TLS are TCP too */
};
const struct check_protocol *check_protocol_find(const char *name);

/* What several kinds have. */

/*
 * An endpoint: its ports must be among the service's (by name; NULL: of no service), and its address may be a host name
 * only where that can be resolved.
 */
void check_workload_entry_of(struct check *check, const istio_workload_entry *entry, const struct map *service_ports,
                             bool may_be_host);
void check_traffic_policy(struct check *check, const istio_traffic_policy *policy);
bool check_is_cipher_suite(const char *name); /* one that Envoy's TLS library knows */
void check_server_tls(struct check *check, const istio_server_tls_settings *tls);
void check_gateway_names(struct check *check, char *const *names, size_t n); /* field "gateways" */
void check_destination(struct check *check, const istio_destination *destination);
void check_http_route(struct check *check, const istio_http_route *route, bool is_delegate);
void check_headers(struct check *check, const istio_headers *headers); /* field "headers"; NULL is fine */
void check_authority(struct check *check, const istio_http_route *route);
/* Whom a policy is for: a selector, or one reference, or several. */
struct check_policy_targets {
	const istio_type_workload_selector *selector;
	const istio_policy_target_reference *target_ref;
	istio_policy_target_reference *const *target_refs;
	size_t n_target_refs;
};
void check_policy_selector(struct check *check, const istio_type_workload_selector *selector); /* NULL is fine */
void check_policy_targets(struct check *check, const struct check_policy_targets *targets);
bool check_is_policy_target(const istio_policy_target_reference *target); /* whether it can be one of them */
/* Routes that no request can reach, as warnings. */
void check_unreachable_routes(struct check *check, const istio_virtual_service *service);

/* The checks that kinds.c names. */
void check_config_map(struct check *check, const ProtobufCMessage *message);
void check_secret(struct check *check, const ProtobufCMessage *message);
void check_service(struct check *check, const ProtobufCMessage *message);
void check_endpoint_slice(struct check *check, const ProtobufCMessage *message);
void check_endpoints(struct check *check, const ProtobufCMessage *message);
void check_service_entry(struct check *check, const ProtobufCMessage *message);
void check_workload_entry(struct check *check, const ProtobufCMessage *message);
void check_gateway(struct check *check, const ProtobufCMessage *message);
void check_virtual_service(struct check *check, const ProtobufCMessage *message);
void check_destination_rule(struct check *check, const ProtobufCMessage *message);
void check_authorization_policy(struct check *check, const ProtobufCMessage *message);
void check_peer_authentication(struct check *check, const ProtobufCMessage *message);
void check_request_authentication(struct check *check, const ProtobufCMessage *message);
