#pragma once
/*
 * A service account of Kubernetes, as tokens name it: `system:serviceaccount:NAMESPACE:NAME`. A value without pointers.
 */
#include "ca/spiffe_id.h"

#define SERVICE_ACCOUNT_PREFIX "system:serviceaccount:"
/* Room for any printed one and its NUL. */
#define SERVICE_ACCOUNT_TEXT (sizeof SERVICE_ACCOUNT_PREFIX + 1 + SPIFFE_NAMESPACE_MAX + SPIFFE_ACCOUNT_MAX)

struct service_account {
	char ns[SPIFFE_NAMESPACE_MAX + 1];
	char name[SPIFFE_ACCOUNT_MAX + 1];
};

/* Both parts are names as Kubernetes has them. On failure *account is left alone. */
bool service_account_make(const char *ns, const char *name, struct service_account *account, struct error *error);
bool service_account_parse(const char *s, struct service_account *account, struct error *error);
void service_account_print(const struct service_account *account, char text[SERVICE_ACCOUNT_TEXT]);
