#include "server/xds/withheld.h"

#include <assert.h>
#include <string.h>

static const struct {
	const char *label, *words;
} whys[XDS_WITHHOLDINGS] = {
    [XDS_WITHHELD_UNVERIFIED] = {"unverified",
                                 "it did not prove who it is, and only the mesh's roots are public; have it "
                                 "connect to the TLS port"},
    [XDS_WITHHELD_OTHER_NAMESPACE] = {"other_namespace", "a proxy is given Secrets of its own namespace only"},
    [XDS_WITHHELD_NOT_NAMED] = {"not_named", "nothing in its configuration names it, no pod of its service account is "
                                             "the gateway that it says it is, or there is no such Secret"},
};

const char *withheld_label(enum xds_withholding why)
{
	assert(why < XDS_WITHHOLDINGS);
	return whys[why].label;
}

/* "kubernetes://NAMESPACE/NAME": whether that is another's. */
static bool is_elsewhere(const char *name, const char *namespace)
{
	const char *path = strstr(name, "://");
	const char *slash =
	    path && strncmp(name, "kubernetes", strlen("kubernetes")) == 0 ? strchr(path + 3, '/') : NULL;
	if (!slash)
		return false;
	size_t n = (size_t)(slash - (path + 3));
	return n != strlen(namespace) || strncmp(path + 3, namespace, n) != 0;
}

enum xds_withholding withheld_why(const struct node *node, const char *name)
{
	if (!node->is_verified)
		return XDS_WITHHELD_UNVERIFIED;
	return is_elsewhere(name, node->namespace) ? XDS_WITHHELD_OTHER_NAMESPACE : XDS_WITHHELD_NOT_NAMED;
}

void withheld_note(struct stream_env *env, const struct node *node, const struct name_list *names)
{
	for (size_t i = 0; names && i < names->n; i++) {
		enum xds_withholding why = withheld_why(node, names->v[i]);
		uint64_t silent;
		env->stats->withheld_secrets[why]++;
		if (log_gap_is_over(&env->withheld_said, clock_now_ns(env->clock), &silent))
			log_warn("xds", "%s is not given the secret \"%.200s\": %s; %llu more since the last line",
			         node->id, names->v[i], whys[why].words, (unsigned long long)silent);
	}
}
