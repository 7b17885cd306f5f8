#pragma once
/*
 * Which of the workloads that there are some selectors cover, and what is known of those: for reviews of policies,
 * against the finished model.
 *
 *     struct coverages *coverages = coverages_new(arena, model);
 *     const struct coverage *of = coverage_of(coverages, policy->namespace, &policy->selectors);
 *     if (of->n_workloads && coverage_port(of, "8080") == NULL) …
 *
 * Workloads with the same labels are looked at once, those of a selector are found by their labels, and selectors that
 * say the same share an answer: so a review does not cost policies times workloads.
 */
#include "translator/model.h"

/* Workloads of one namespace with the same labels. */
struct workload_group {
	const char *namespace;
	const struct labels *labels;
	size_t place; /* 0 … coverages_n_groups - 1 */
	size_t n_workloads;
	struct group_facts *facts; /* private */
};

/* A port that covered workloads serve, as far as services say. */
struct coverage_port {
	bool may_be_http;                     /* on some of them */
	enum mtls_mode least_mode, most_mode; /* of those that serve it */
};

struct coverage {
	struct workload_group *const *groups;
	size_t n_groups;
	size_t n_workloads;
	size_t n_gateways;                    /* of them: proxies of Gateways, of which what follows does not speak */
	enum mtls_mode least_mode, most_mode; /* on ports of which nothing else is said; where not all are gateways */
	struct map ports;                     /* number -> struct coverage_port */
	struct map targets;                   /* a service's port -> the workload's, both as text */
	const struct strings *issuers;        /* private */
};

struct coverages *coverages_new(struct arena *arena, const struct model *model);
size_t coverages_n_groups(const struct coverages *coverages);
/* In the root namespace the whole mesh's. Lives in the arena. */
struct coverage *coverage_of(struct coverages *coverages, const char *namespace,
                             const struct workload_selectors *selectors);
/* A workload with these labels would be the proxy of a Gateway. */
bool coverage_are_of_gateway(const struct model *model, const struct labels *labels);
bool coverages_has_workloads(struct coverages *coverages, const char *namespace);
const struct coverage_port *coverage_port(const struct coverage *coverage, const char *number); /* or NULL */
/* The issuers whose tokens some of the workloads take; "" any. */
const struct strings *coverage_issuers(struct coverages *coverages, struct coverage *coverage);
