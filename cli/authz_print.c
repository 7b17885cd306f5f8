#include "cli/authz_print.h"

#include "translator/envoy/names.h"

#include <stdio.h>
#include <string.h>

/* "ns[shop]-policy[orders]-rule[0]" as "shop/orders, rule 0"; what it cannot read stays. */
static void add_name(struct text *out, const char *name)
{
	char namespace[254], policy[254];
	unsigned rule = 0;
	const char *at = strstr(name, "ns[");
	if (at && sscanf(at, "ns[%253[^]]]-policy[%253[^]]]-rule[%u]", namespace, policy, &rule) == 3)
		text_printf(out, "%s/%s, rule %u", namespace, policy, rule);
	else
		text_add(out, name);
	if (strstr(name, NAME_EXT_AUTHZ_REFUSED))
		text_add(out, " (its provider cannot be asked)");
}

static bool has_allow(const struct authz_verdict *verdict)
{
	for (size_t i = 0; i < verdict->n_opinions; i++)
		if (!verdict->opinions[i].is_dry_run && strcmp(verdict->opinions[i].action, "ALLOW") == 0)
			return true;
	return false;
}

void authz_print_decision(struct text *out, const struct authz_verdict *verdict)
{
	switch (verdict->decision) {
	case AUTHZ_ALLOWED:
		text_add(out, verdict->by          ? "allowed by "
		              : has_allow(verdict) ? "allowed"
		                                   : "allowed: nothing denies it, and no policy says who may");
		break;
	case AUTHZ_DENIED:
		text_add(out, verdict->by ? "denied by " : "denied: no policy allows it");
		break;
	case AUTHZ_ASKED:
		text_add(out, "left to a service outside by ");
		break;
	case AUTHZ_REFUSED:
		text_printf(out, "refused: %s", verdict->refusal);
		break;
	}
	if (verdict->by)
		add_name(out, verdict->by);
}

void authz_print(struct text *out, const struct authz_request *request, const struct authz_verdict *verdict)
{
	authz_print_decision(out, verdict);
	text_add(out, "\n");
	if (verdict->listener && strcmp(verdict->listener, NAME_VIRTUAL_INBOUND) != 0)
		text_printf(out, "listener %s\n", verdict->listener);
	if (verdict->note)
		text_printf(out, "%s\n", verdict->note);
	if (request->is_http && verdict->path && strcmp(verdict->path, request->path) != 0)
		text_printf(out, "the path is compared as %s\n", verdict->path);
	for (size_t i = 0; i < verdict->n_opinions; i++) {
		const struct authz_opinion *opinion = &verdict->opinions[i];
		text_printf(out, "  %-6s ", opinion->action);
		add_name(out, opinion->name);
		text_printf(out, "%s: %s%s\n", opinion->is_dry_run ? " (dry run)" : "",
		            opinion->is_met ? "matches" : "does not match: ", opinion->words ? opinion->words : "");
	}
}

static void add_member(struct text *out, const char *key, const char *value, const char *end)
{
	text_printf(out, "\"%s\": ", key);
	if (value)
		text_add_json_string(out, value, strlen(value));
	else
		text_add(out, "null");
	text_add(out, end);
}

/* What stands between the members of a verdict, and between its rules. */
struct layout {
	const char *open, *next, *first_rule, *next_rule, *after_rules, *close;
};

static void print_json(struct text *out, const struct authz_verdict *verdict, const struct layout *layout)
{
	static const char *const decisions[] = {[AUTHZ_ALLOWED] = "allowed",
	                                        [AUTHZ_DENIED] = "denied",
	                                        [AUTHZ_ASKED] = "asked",
	                                        [AUTHZ_REFUSED] = "refused"};
	text_add(out, layout->open);
	add_member(out, "decision", decisions[verdict->decision], layout->next);
	add_member(out, "by", verdict->by, layout->next);
	add_member(out, "listener", verdict->listener, layout->next);
	add_member(out, "refusal", verdict->refusal, layout->next);
	add_member(out, "note", verdict->note, layout->next);
	add_member(out, "path", verdict->path, layout->next);
	text_add(out, "\"rules\": [");
	for (size_t i = 0; i < verdict->n_opinions; i++) {
		const struct authz_opinion *opinion = &verdict->opinions[i];
		text_printf(out, "%s{", i ? layout->next_rule : layout->first_rule);
		add_member(out, "name", opinion->name, ", ");
		add_member(out, "action", opinion->action, ", ");
		text_printf(out, "\"isDryRun\": %s, \"matches\": %s, ", opinion->is_dry_run ? "true" : "false",
		            opinion->is_met ? "true" : "false");
		add_member(out, "reason", opinion->words, "}");
	}
	text_printf(out, "%s]%s", verdict->n_opinions ? layout->after_rules : "", layout->close);
}

void authz_print_json(struct text *out, const struct authz_verdict *verdict)
{
	static const struct layout lines = {"{\n  ", ",\n  ", "\n    ", ",\n    ", "\n  ", "\n}\n"};
	print_json(out, verdict, &lines);
}

void authz_print_json_line(struct text *out, const struct authz_verdict *verdict)
{
	static const struct layout line = {"{", ", ", "", ", ", "", "}"};
	print_json(out, verdict, &line);
}
