#pragma once
/*
 * The access log from the inside: what is logged, and in which words.
 *
 * Where the mesh names no file there is a log all the same, of what policies refuse: denied requests and connections,
 * what a dry run would deny, what an AUDIT policy marks, connections that come without mutual TLS where it is required.
 */
#include "translator/envoy/emit_parts.h"

/* Whether the mesh has no access log, so that only these are logged. */
bool access_log_is_of_denials(const struct emit *emit);

/* access_log_format.c */
envoy_substitution_format_string *access_log_format(const struct emit *emit, enum access_log_side side);

/* access_log_filter.c: what of a log of denials is logged; NULL: there is nothing that denies. */
envoy_access_log_filter *access_log_denials(const struct emit *emit, enum access_log_side side);
/* Connections that no filter chain takes, and requests that no route does. */
envoy_access_log_filter *access_log_unroutable(struct arena *arena);

/* Where Envoy says why requests and connections ended, as CEL knows it, and what that begins with if access control
 * ended them. */
#define ACCESS_LOG_CODE_DETAILS "response.code_details"
#define ACCESS_LOG_TERMINATION_DETAILS "connection.termination_details"
#define ACCESS_LOG_DETAILS_RBAC "rbac_access_denied"
#define ACCESS_LOG_DETAILS_JWT "jwt_authn_access_denied"
