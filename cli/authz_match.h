#pragma once
/*
 * One thing that Envoy's RBAC can ask of a request, answered as Envoy does.
 */
#include "cli/authz_request.h"
#include "proto/envoy.h"

/* What was looked at, what stood there (NULL: nothing) and what was wanted; subject NULL: anything will do. */
struct authz_fact {
	const char *subject, *seen, *wanted;
	bool is_met;
};

struct authz_fact authz_match_text(struct arena *arena, const char *subject, const char *seen,
                                   const envoy_string_matcher *matcher);
struct authz_fact authz_match_header(struct arena *arena, const struct authz_request *request,
                                     const envoy_header_matcher *matcher);
struct authz_fact authz_match_path(struct arena *arena, const struct authz_request *request,
                                   const envoy_string_matcher *matcher);
struct authz_fact authz_match_template(struct arena *arena, const struct authz_request *request,
                                       const envoy_typed_extension_config *config);
struct authz_fact authz_match_port(struct arena *arena, const struct authz_request *request, uint32_t port);
struct authz_fact authz_match_ip(struct arena *arena, const char *subject, const char *seen,
                                 const envoy_cidr_range *range);
bool authz_is_within(const char *address, const envoy_cidr_range *range);
/* A claim of the token, among the metadata of the filter that verified it. */
struct authz_fact authz_match_claim(struct arena *arena, const struct authz_request *request,
                                    const envoy_metadata_matcher *matcher);
/* What cannot be known here (metadata of other filters): not met. */
struct authz_fact authz_match_unknown(struct arena *arena);
