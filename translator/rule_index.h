#pragma once
/*
 * Which rules and policies could concern a host or a gateway: looked up, not searched for. Made once a model, read by
 * every scope. Who sees what depends on the view and is decided there.
 */
#include "translator/host.h"
#include "translator/model.h"

/* A rule with what scopes need of it again and again. */
struct indexed_rule {
	const struct route_rule *rule;
	size_t position;             /* in model->rules: the order of precedence */
	struct strings destinations; /* hosts that its routes and mirrors name; sorted, each once */
	bool is_reading_client;      /* a match asks for the client's labels or namespace */
};

struct rule_list {
	const char *host;              /* or gateway */
	const struct indexed_rule **v; /* in order of precedence */
	size_t n, cap;
};

struct policy_list {
	const char *host;
	const struct destination_policy **v; /* in the order of `order` */
	size_t n, cap;
};

/* The policies of one namespace by the clients they can reach. Values are struct policy_list. */
struct policy_pools {
	struct host_index local;    /* reach the namespace itself */
	struct host_index exported; /* reach others too */
	struct host_index own;      /* reach the namespace itself and nobody else */
};

struct rule_index {
	const struct indexed_rule *rules; /* as model->rules */
	size_t n_rules;
	struct host_index mesh; /* host -> struct rule_list of the rules for sidecars */
	struct map by_gateway;  /* "namespace/name" -> struct rule_list */
	struct map pools;       /* namespace -> struct policy_pools */
};

/* Needs model->rules and model->policies; everything lives in the arena. */
const struct rule_index *rule_index_new(struct arena *arena, const struct model *model);
