#pragma once
/*
 * The scope while it is being made: scope.c runs the parts below in this order and seals what they added. A part may
 * read what the parts before it made; none sorts: scope.c does.
 *
 *   scope_add_services    scope->services, services_by_host: what the view sees, each with its policy
 *   scope_add_listeners   sidecars: outbound listeners; each names its route table
 *   scope_add_tables      sidecars: one table for each distinct `table` of the listeners so far
 *   scope_add_secrets     what those services' policies name
 *   scope_add_gateways    gateways: listeners and tables of the servers that select the view
 */
#include "base/vec.h"
#include "translator/scope.h"

struct scope_draft {
	struct arena *arena;
	struct scope *scope; /* model, view, services and services_by_host are final after scope_add_services */
	VEC(struct scope_table) tables;
	VEC(struct scope_listener) listeners;
	VEC(struct scope_secret) secrets; /* may have doubles */
};

void scope_add_services(struct scope_draft *draft);
void scope_add_listeners(struct scope_draft *draft);
void scope_add_tables(struct scope_draft *draft);
void scope_add_gateways(struct scope_draft *draft);
void scope_add_secrets(struct scope_draft *draft);

/* Adds what the credential names, if the view may have it: it has proved who it is, and it is its own namespace's. */
void scope_add_secret(struct scope_draft *draft, const struct credential *credential, bool is_validation);

/* A Gateway that selects the view has a server in mode AUTO_PASSTHROUGH. */
bool scope_has_auto_passthrough(const struct model *model, const struct view *view);

/* The policy that the view applies to a service: its own namespace's rules, else the service's namespace's, else the
 * root's. NULL: none. */
const struct destination_policy *scope_policy(const struct model *model, const struct view *view,
                                              const struct service *service);

/* What output reads of a service in a view: the service's digest and its policy's, without endpoints. */
void digest_add_scope_service(struct digest_state *state, const struct scope_service *service);
