/*
 * Which CUSTOM policies can ask nobody, and why: for the workloads there are, and for each policy's own selector, so
 * that a mistake shows before the first workload comes. A policy gets one row.
 */
#include "base/vec.h"
#include "translator/authz_choice.h"
#include "translator/istio/policy_review.h"

#include <string.h>

#define FIELD "spec.provider.name"
#define REFUSED "until then what the rules match is refused"

struct telling {
	struct draft *draft;
	struct arena *scratch;
	struct map told; /* "namespace/name" of policies */
};

static enum report_reason reason_of(enum authz_choice_state state)
{
	static const enum report_reason reasons[] = {
	    [AUTHZ_RIVALS] = REASON_CONFLICT,
	    [AUTHZ_UNDEFINED] = REASON_PROVIDER_NOT_FOUND,
	    [AUTHZ_INVALID] = REASON_INVALID_VALUE,
	    [AUTHZ_SERVICE_NOT_FOUND] = REASON_HOST_NOT_FOUND,
	    [AUTHZ_SERVICE_AMBIGUOUS] = REASON_CONFLICT,
	    [AUTHZ_PORT_NOT_FOUND] = REASON_PORT_NOT_FOUND,
	    [AUTHZ_SERVICE_BY_ADDRESS] = REASON_INVALID_VALUE,
	    [AUTHZ_SERVICE_NOT_SEEN] = REASON_HOST_NOT_FOUND,
	};
	return reasons[state];
}

/* What is wrong, and what to do. */
static const char *message_of(struct arena *arena, const char *namespace, const struct authz_choice *choice)
{
	const struct authz_provider *provider = choice->policy->provider;
	const char *name = choice->policy->provider_name;
	switch (choice->state) {
	case AUTHZ_RIVALS:
		return arena_printf(
		    arena,
		    "a workload asks one provider, and policy %s/%s, for the same ones, names \"%s\"; name "
		    "one in both",
		    choice->rival->namespace, choice->rival->name, choice->rival->provider_name);
	case AUTHZ_UNDEFINED:
		return arena_printf(arena,
		                    "MeshConfig's extensionProviders have no \"%s\" with envoyExtAuthzHttp or "
		                    "envoyExtAuthzGrpc; add it, or name one that is there",
		                    name);
	case AUTHZ_INVALID:
		return arena_printf(arena, "MeshConfig's extension provider \"%s\" is invalid; see what is said of it",
		                    name);
	case AUTHZ_SERVICE_NOT_FOUND:
		return arena_printf(
		    arena,
		    "extension provider \"%s\" is at \"%s%s%s\", and there is no such service; write it as "
		    "HOST or NAMESPACE/HOST, the host in full",
		    name, provider->namespace ? provider->namespace : "", provider->namespace ? "/" : "",
		    provider->host);
	case AUTHZ_SERVICE_AMBIGUOUS:
		return arena_printf(
		    arena,
		    "extension provider \"%s\" is at \"%s\", which several namespaces have; write it as "
		    "NAMESPACE/HOST",
		    name, provider->host);
	case AUTHZ_PORT_NOT_FOUND:
		return arena_printf(arena, "extension provider \"%s\" is at \"%s\", which has no port %u", name,
		                    provider->host, provider->port);
	case AUTHZ_SERVICE_BY_ADDRESS:
		return arena_printf(arena,
		                    "extension provider \"%s\" is at \"%s\", which is headless or has resolution NONE: "
		                    "proxies choose no endpoint of it; give it an address of its own",
		                    name, provider->host);
	case AUTHZ_SERVICE_NOT_SEEN:
		return arena_printf(arena,
		                    "extension provider \"%s\" is at \"%s\", which namespace %s does not see, or sees "
		                    "another's; export it there",
		                    name, provider->host, namespace);
	case AUTHZ_NOT_ASKED:
	case AUTHZ_CHOSEN:
		break;
	}
	return "";
}

/* Whether nothing was said of the policy so far. */
static bool is_first(struct telling *telling, const struct authz_policy *policy)
{
	void **slot = map_slot(telling->scratch, &telling->told,
	                       arena_printf(telling->scratch, "%s/%s", policy->namespace, policy->name));
	bool is_new = !*slot;
	*slot = telling;
	return is_new;
}

static void tell(struct telling *telling, const char *namespace, const struct authz_choice *choice)
{
	if (is_first(telling, choice->policy))
		report_add(telling->draft->report, choice->policy->source.object, REPORT_ERROR,
		           reason_of(choice->state), FIELD, "%s; " REFUSED,
		           message_of(telling->scratch, namespace, choice));
}

/* A server that speaks gRPC where the service says otherwise: no call would come through. */
static void tell_protocol(struct telling *telling, const struct authz_choice *choice)
{
	const struct authz_provider *provider = choice->provider;
	if (provider->is_grpc && !protocol_is_http2(choice->port->protocol) && is_first(telling, choice->policy))
		report_add(telling->draft->report, choice->policy->source.object, REPORT_WARNING, REASON_INVALID_VALUE,
		           FIELD,
		           "extension provider \"%s\" is asked by gRPC, and port %u of \"%s\" is for %s: no call comes "
		           "through, unless a DestinationRule upgrades it; name the port grpc",
		           provider->name, provider->port, provider->host, protocol_name(choice->port->protocol));
}

/* With is_made_up, only what holds for each workload that will have the labels: the root namespace's policies are for
 * others' workloads, who may see more. */
static void look_at(struct telling *telling, const char *namespace, const struct authz_policies *policies,
                    bool is_made_up)
{
	const struct model *model = telling->draft->model;
	struct authz_choice choice = authz_choose(model, namespace, policies);
	bool is_unknown =
	    is_made_up && choice.state == AUTHZ_SERVICE_NOT_SEEN && strcmp(namespace, model->mesh.root_namespace) == 0;
	if (choice.state == AUTHZ_CHOSEN)
		tell_protocol(telling, &choice);
	if (choice.state == AUTHZ_NOT_ASKED || choice.state == AUTHZ_CHOSEN || is_unknown)
		return;
	tell(telling, namespace, &choice);
	if (choice.state != AUTHZ_RIVALS)
		return;
	const struct authz_policy *first = choice.policy;
	choice.policy = choice.rival;
	choice.rival = first;
	tell(telling, namespace, &choice);
}

typedef VEC(const struct authz_policy *) policy_list;

/* The CUSTOM policies of a group of workloads: the root namespace's, then its own namespace's. */
struct asking {
	const struct workload_group *group;
	policy_list policies;
};

/* The workloads that have just the labels that a policy looks for. */
static void look_at_policy(struct telling *telling, const struct authz_policy *policy)
{
	for (size_t i = 0; i < policy->selectors.n; i++) {
		const struct authz_policies policies =
		    model_authz(telling->scratch, telling->draft->model, policy->namespace, &policy->selectors.v[i]);
		look_at(telling, policy->namespace, &policies, true);
	}
}

static void add_asking(const struct policy_review *review, const struct authz_policy *policy, struct asking *asking)
{
	const struct coverage *covered = coverage_of(review->coverages, policy->namespace, &policy->selectors);
	for (size_t i = 0; i < covered->n_groups; i++) {
		struct asking *of = &asking[covered->groups[i]->place];
		of->group = covered->groups[i];
		VEC_PUSH(review->arena, &of->policies, policy);
	}
}

void review_authz_choices(const struct policy_review *review)
{
	struct telling telling = {.draft = review->draft, .scratch = review->arena};
	const struct model *model = review->draft->model;
	size_t n_groups = coverages_n_groups(review->coverages);
	struct asking *asking = ARENA_NEW_N(review->arena, struct asking, n_groups);
	for (int is_own = 0; is_own <= 1; is_own++)
		for (size_t i = 0; i < model->n_authz_policies; i++) {
			const struct authz_policy *policy = model->authz_policies[i];
			bool is_root = strcmp(policy->namespace, model->mesh.root_namespace) == 0;
			if (policy->action == AUTHZ_CUSTOM && is_root == !is_own)
				add_asking(review, policy, asking);
		}
	for (size_t i = 0; i < model->n_authz_policies; i++)
		if (model->authz_policies[i]->action == AUTHZ_CUSTOM)
			look_at_policy(&telling, model->authz_policies[i]);
	for (size_t i = 0; i < n_groups; i++)
		if (asking[i].group)
			look_at(&telling, asking[i].group->namespace,
			        &(struct authz_policies){.v = asking[i].policies.v, .n = asking[i].policies.n}, false);
}
