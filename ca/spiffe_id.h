#pragma once
/*
 * The name of a workload: `spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/SERVICE-ACCOUNT` (SPIFFE-ID, sections 2 and 3; the
 * path is Istio's). A value without pointers: copy it, keep it in a struct.
 *
 *     struct spiffe_id id;
 *     if (!spiffe_id_parse(s, n, &id, &error)) …
 *     char text[SPIFFE_ID_TEXT];
 *     spiffe_id_print(&id, text);                the very bytes that were parsed
 *
 * There is one spelling of each name and nothing else parses: so comparing structs, texts or certificates comes to the
 * same. What a foreign certificate or request says is foreign bytes with a length; a NUL among them is an error like
 * any other character that does not belong there.
 */
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define SPIFFE_ID_MAX 2048          /* bytes of any SPIFFE ID (SPIFFE-ID 2.3) */
#define SPIFFE_TRUST_DOMAIN_MAX 255 /* SPIFFE-ID 2.1 */
#define SPIFFE_NAMESPACE_MAX 63     /* Kubernetes: a DNS label */
#define SPIFFE_ACCOUNT_MAX 253      /* Kubernetes: a DNS subdomain */
/* Room for any printed id and its NUL. */
#define SPIFFE_ID_TEXT                                                                                                 \
	(sizeof "spiffe:///ns//sa/" + SPIFFE_TRUST_DOMAIN_MAX + SPIFFE_NAMESPACE_MAX + SPIFFE_ACCOUNT_MAX)

struct spiffe_id {
	char trust_domain[SPIFFE_TRUST_DOMAIN_MAX + 1];
	char ns[SPIFFE_NAMESPACE_MAX + 1];
	char account[SPIFFE_ACCOUNT_MAX + 1];
};

/* On failure *id is left alone, and the error says what stands where. */
bool spiffe_id_parse(const char *s, size_t n, struct spiffe_id *id, struct error *error);
/* From parts that somebody else vouches for, held to the same rules. */
bool spiffe_id_make(const char *trust_domain, const char *ns, const char *account, struct spiffe_id *id,
                    struct error *error);
void spiffe_id_print(const struct spiffe_id *id, char text[SPIFFE_ID_TEXT]);
bool spiffe_id_equal(const struct spiffe_id *a, const struct spiffe_id *b);

/* [a-z0-9._-], 1 to 255 of them. */
bool spiffe_trust_domain_check(const char *s, size_t n, struct error *error);
