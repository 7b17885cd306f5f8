#include "token/service_account.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define ANY_DOMAIN "any" /* the rules for names are those of SPIFFE IDs, whatever the trust domain is */

bool service_account_make(const char *ns, const char *name, struct service_account *account, struct error *error)
{
	struct spiffe_id id;
	if (!spiffe_id_make(ANY_DOMAIN, ns, name, &id, error))
		return false;
	memcpy(account->ns, id.ns, sizeof account->ns);
	memcpy(account->name, id.account, sizeof account->name);
	return true;
}

bool service_account_parse(const char *s, struct service_account *account, struct error *error)
{
	char ns[SPIFFE_NAMESPACE_MAX + 1];
	const char *at = s + sizeof SERVICE_ACCOUNT_PREFIX - 1;
	const char *colon = text_has_prefix(s, SERVICE_ACCOUNT_PREFIX) ? strchr(at, ':') : NULL;
	if (!colon || (size_t)(colon - at) >= sizeof ns)
		return error_set(error, "\"%.64s\" is not a service account (" SERVICE_ACCOUNT_PREFIX "NAMESPACE:NAME)",
		                 s);
	snprintf(ns, sizeof ns, "%.*s", (int)(colon - at), at);
	return service_account_make(ns, colon + 1, account, error);
}

void service_account_print(const struct service_account *account, char text[SERVICE_ACCOUNT_TEXT])
{
	snprintf(text, SERVICE_ACCOUNT_TEXT, SERVICE_ACCOUNT_PREFIX "%s:%s", account->ns, account->name);
}
