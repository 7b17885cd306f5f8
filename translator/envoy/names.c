#include "translator/envoy/names.h"

#include <stddef.h>
#include <string.h>

char *name_outbound_cluster(struct arena *arena, uint32_t port, const char *subset, const char *host)
{
	return arena_printf(arena, "outbound|%u|%s|%s", port, subset, host);
}

char *name_outbound_sni(struct arena *arena, uint32_t port, const char *subset, const char *host)
{
	return arena_printf(arena, "outbound_.%u_.%s_.%s", port, subset, host);
}

char *name_certificate_of_files(struct arena *arena, const char *certificate, const char *key)
{
	return arena_printf(arena, "file-cert:%s~%s", certificate, key);
}

char *name_root_of_file(struct arena *arena, const char *file, const char *crl)
{
	return arena_printf(arena, "file-root:%s%s%s", *file ? file : "system", *crl ? "~" : "", crl);
}

char *name_inbound_cluster(struct arena *arena, uint32_t port)
{
	return arena_printf(arena, "inbound|%u||", port);
}

char *name_stat(struct arena *arena, const char *name)
{
	return arena_printf(arena, "%s;", name);
}

char *name_listener(struct arena *arena, const char *bind, uint32_t port)
{
	return arena_printf(arena, "%s_%u", bind, port);
}

char *name_outbound_stat(struct arena *arena, const char *bind, uint32_t port)
{
	return arena_printf(arena, "outbound_%s_%u;", bind, port);
}

char *name_inbound_stat(struct arena *arena, const char *bind, uint32_t port)
{
	return arena_printf(arena, "inbound_%s_%u;", bind, port);
}

char *name_virtual_host(struct arena *arena, const char *host, uint32_t port)
{
	return arena_printf(arena, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

char *name_black_hole_host(struct arena *arena, uint32_t port)
{
	return name_virtual_host(arena, "blackhole", port);
}

char *name_inbound_host(struct arena *arena, uint32_t port)
{
	return arena_printf(arena, "inbound|http|%u", port);
}

char *name_secret(struct arena *arena, const char *namespace, const char *name, bool is_validation)
{
	return arena_printf(arena, "kubernetes://%s%s%s%s", namespace ? namespace : "", namespace ? "/" : "", name,
	                    is_validation ? "-cacert" : "");
}

char *name_authz_rule(struct arena *arena, const char *prefix, const char *namespace, const char *policy, size_t rule,
                      const char *suffix)
{
	return arena_printf(arena, "%sns[%s]-policy[%s]-rule[%zu]%s", prefix, namespace, policy, rule, suffix);
}

char *name_jwt_provider(struct arena *arena, size_t i)
{
	return arena_printf(arena, "origins-%zu", i);
}

char *name_ext_authz(struct arena *arena, const char *provider)
{
	return arena_printf(arena, NAME_EXT_AUTHZ_PREFIX "%s", provider);
}
