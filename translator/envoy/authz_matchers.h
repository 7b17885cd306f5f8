#pragma once
/*
 * Values of access control (translator/authz.h) as Envoy's matchers. Messages live in the arena.
 */
#include "proto/envoy.h"
#include "translator/authz.h"

/* "text", "text*", "*text", "*": what is there and not empty. */
envoy_string_matcher *authz_text(struct arena *arena, const char *value, bool is_case_ignored);
/* Only that a header is there, for "*". */
envoy_header_matcher *authz_header(struct arena *arena, const char *name, const char *value, bool is_case_ignored);
/* One of the header's texts, of all its occurrences, whatever bytes are in the others. */
envoy_header_matcher *authz_header_element(struct arena *arena, const char *name, const char *value);
/* Also with a user before it, with a port, and with a "." behind. */
envoy_header_matcher *authz_host_in_all_forms(struct arena *arena, const char *value);
/* An expression that the whole text must match. */
envoy_string_matcher *authz_regex(struct arena *arena, const char *regex);
/* The SPIFFE ids, as the peer's certificate has them, that AUTHZ_PRINCIPAL, _SERVICE_ACCOUNT, _NAMESPACE and
 * _TRUST_DOMAIN mean. */
envoy_string_matcher *authz_spiffe_id(struct arena *arena, enum authz_attribute attribute, const char *value);
/* A claim of the verified token: a text, or a list with such a text. */
envoy_metadata_matcher *authz_claim(struct arena *arena, const struct strings *path, const struct strings *values);
/* The same for a claim that is no list. */
envoy_metadata_matcher *authz_claim_text(struct arena *arena, const char *claim, envoy_string_matcher *text);
/* What a filter says of the request: `member` of its metadata. */
envoy_metadata_matcher *authz_filter_metadata(struct arena *arena, const char *filter, const char *member,
                                              const struct strings *values);
/* A template of paths, with {*} for a segment and {**} for any number. */
envoy_typed_extension_config *authz_path_template(struct arena *arena, const char *value);
/* Its wildcards take whatever a path may have; Envoy's own let "[" and "]" pass, and "|" and others that are no URL. */
envoy_string_matcher *authz_path_template_in_all_forms(struct arena *arena, const char *value);
bool authz_is_path_template(const char *value);
