#include "base/text.h"
#include "crds/check.h"

#include <ctype.h>
#include <string.h>

#define ACTION(name) ISTIO__SECURITY__V1BETA1__AUTHORIZATION_POLICY__ACTION__##name
#define PORT_MAX 65535
#define RULES_MAX 512           /* rules of a policy, sources of a rule: as in Istio's definitions */
#define SERVICE_ACCOUNTS_MAX 16 /* of a list */
#define SERVICE_ACCOUNT_MAX 320 /* characters of one */
#define EXPRESSION_MAX 512  /* characters of what becomes an expression: Envoy gives up a listener with a longer one */
#define TEMPLATE_ONE "{*}"  /* one segment of a path */
#define TEMPLATE_ANY "{**}" /* all that follow */
#define TEMPLATE_MAX 256    /* characters of a template without braces: as in Envoy's definition */

enum value_type {
	VALUE_TEXT,
	VALUE_IP,
	VALUE_PORT,
	VALUE_PATH,
	VALUE_HOST,
	VALUE_METHOD,
	VALUE_PRINCIPAL,
	VALUE_NAMESPACE,
	VALUE_TRUST_DOMAIN,
	VALUE_SERVICE_ACCOUNT
};

/* A field that lists values, or a condition's values. */
struct list {
	const char *field;
	char *const *values;
	size_t n;
	enum value_type type;
	bool is_tcp;       /* known of every connection, not of HTTP requests only */
	bool is_no_custom; /* an extension is asked before this is known */
};
#define LIST(message, name) .values = (message)->name, .n = (message)->n_##name
#define N_LISTS(lists) (sizeof(lists) / sizeof(lists)[0])

/* What `when` can look at. */
static const struct attribute {
	const char *key;
	enum value_type type;
	bool is_map; /* NAME[MEMBER] */
	bool is_no_custom;
	const char *instead; /* not possible: what is */
} attributes[] = {
    {.key = "request.headers", .is_map = true},
    {.key = "request.experimental.inline.headers", .is_map = true},
    {.key = "source.ip", .type = VALUE_IP},
    {.key = "remote.ip", .type = VALUE_IP},
    {.key = "source.namespace", .type = VALUE_NAMESPACE, .is_no_custom = true},
    {.key = "source.serviceAccount", .type = VALUE_SERVICE_ACCOUNT, .is_no_custom = true},
    {.key = "source.principal", .type = VALUE_PRINCIPAL, .is_no_custom = true},
    {.key = "source.trustDomain", .type = VALUE_TRUST_DOMAIN, .is_no_custom = true},
    {.key = "request.auth.principal", .is_no_custom = true},
    {.key = "request.auth.audiences", .is_no_custom = true},
    {.key = "request.auth.presenter", .is_no_custom = true},
    {.key = "request.auth.claims", .is_map = true, .is_no_custom = true},
    {.key = "destination.ip", .type = VALUE_IP},
    {.key = "destination.port", .type = VALUE_PORT},
    {.key = "connection.sni"},
    {.key = "experimental.envoy.filters.", .is_map = true},
    {.key = "destination.namespace", .instead = "the policy's own namespace"},
    {.key = "destination.labels", .is_map = true, .instead = "the policy's selector"},
    {.key = "destination.name", .instead = "the policy's selector"},
    {.key = "destination.user", .instead = "the policy's selector"},
};

static void check_port_text(struct check *check, const char *value)
{
	uint64_t port = 0;
	if (!text_parse_uint(value, PORT_MAX, &port))
		check_error(check, NULL, "\"%s\" is not a port: a number up to %d is", value, PORT_MAX);
}

static void check_service_account(struct check *check, const char *value)
{
	const char *slash = strchr(value, '/');
	if (strlen(value) > SERVICE_ACCOUNT_MAX)
		check_error(check, NULL, "has %zu characters, at most %d are possible", strlen(value),
		            SERVICE_ACCOUNT_MAX);
	else if (strchr(value, '*'))
		check_error(check, NULL, "\"%s\": service accounts cannot have wildcards", value);
	else if (slash && (slash == value || slash[1] == '\0' || strchr(slash + 1, '/')))
		check_error(check, NULL, "\"%s\" must be a service account or NAMESPACE/SERVICE-ACCOUNT", value);
}

/* "*", "a*" and "*a" are wildcards; any other "*" would be looked for as it stands. */
static void check_wildcards(struct check *check, const char *value)
{
	size_t n = strlen(value);
	const char *star = strchr(value + (value[0] == '*'), '*');
	if (star && (value[0] == '*' || star != value + n - 1))
		check_warn(
		    check, NULL,
		    "\"%s\": one \"*\" at the start or at the end is a wildcard, any other is taken as it stands",
		    value);
}

static void check_expression(struct check *check, const char *value)
{
	size_t n = strlen(value);
	if (n > EXPRESSION_MAX)
		check_error(check, NULL, "has %zu characters, at most %d are possible", n, EXPRESSION_MAX);
}

static void check_principal(struct check *check, const char *value)
{
	if (value[0] == '*')
		check_expression(check, value);
	if (text_has_prefix(value, "spiffe://"))
		check_warn(check, NULL, "never matches: principals are written without \"spiffe://\"");
	check_wildcards(check, value);
}

static void check_namespace(struct check *check, const char *value)
{
	check_expression(check, value);
	if (strchr(value, '/'))
		check_warn(check, NULL, "never matches: a namespace has no \"/\"");
	check_wildcards(check, value);
}

static void check_host(struct check *check, const char *value)
{
	if (strchr(value, '/'))
		check_warn(check, NULL, "\"%s\" never matches: a host is no URL, so it has no \"/\"", value);
	check_wildcards(check, value);
}

static void check_method(struct check *check, const char *value)
{
	for (const char *c = value; *c; c++)
		if (islower((unsigned char)*c)) {
			check_warn(check, NULL, "\"%s\" never matches: methods are in upper case", value);
			break;
		}
	check_wildcards(check, value);
}

/* The length of the {*} or {**} that stands there, or 0. */
static size_t operator_length(const char *s)
{
	if (text_has_prefix(s, TEMPLATE_ANY))
		return strlen(TEMPLATE_ANY);
	return text_has_prefix(s, TEMPLATE_ONE) ? strlen(TEMPLATE_ONE) : 0;
}

struct template
{
	bool has_any;   /* {**} has been seen */
	bool has_inner; /* a wildcard within a segment, which the proxy takes as it stands */
};

/* What is wrong with one segment, up to the next "/" or the end, or NULL: what Istio or Envoy would refuse. */
static const char *segment_mistake(struct template *template, const char *segment, size_t n)
{
	static const char text_characters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()+,;:@=";
	size_t at = operator_length(segment);
	if (n == 0 && segment[0] == '/')
		return "an empty segment is not possible";
	if (at > 0 && template->has_any)
		return "no segment after {**} can be a wildcard";
	template->has_any |= at == strlen(TEMPLATE_ANY);
	if (at > 0 && at < n && segment[n] == '/')
		return "text behind {*} or {**} is possible in the last segment only"; /* else Envoy crashes */
	while (at < n) {
		size_t inner = operator_length(segment + at);
		bool is_star = segment[at] == '*';
		if (is_star && (at == 0 || segment[at + 1] == '/'))
			return "beside {*} and {**}, \"*\" is not possible";
		if (inner == 0 && !is_star && !strchr(text_characters, segment[at]))
			return "a segment is {*}, {**} or text of letters, digits and -._~%!$&'()+,;:@=";
		template->has_inner |= inner > 0 || is_star;
		at += inner > 0 ? inner : 1;
	}
	return NULL;
}

/* Of what the proxy gets, which has no braces. */
static size_t template_length(const char *value)
{
	size_t n = 0;
	for (const char *at = value; *at;) {
		size_t n_operator = operator_length(at);
		n += n_operator > 0 ? n_operator - strlen("{}") : 1;
		at += n_operator > 0 ? n_operator : 1;
	}
	return n;
}

static void check_path(struct check *check, const char *value)
{
	if (!strstr(value, TEMPLATE_ONE) && !strstr(value, TEMPLATE_ANY)) {
		if (value[0] != '/' && value[0] != '*')
			check_warn(check, NULL, "\"%s\" never matches: a path begins with \"/\"", value);
		check_wildcards(check, value);
		return;
	}
	struct template template = {0};
	const char *mistake = value[0] == '/' ? NULL : "it must begin with \"/\"";
	for (const char *at = value; !mistake && *at == '/';) {
		size_t n = strcspn(at + 1, "/");
		mistake = segment_mistake(&template, at + 1, n);
		at += n + 1;
	}
	if (mistake)
		check_error(check, NULL, "\"%s\" is not a template of paths: %s", value, mistake);
	else if (template_length(value) > TEMPLATE_MAX)
		check_error(check, NULL,
		            "\"%s\" is too long for a template of paths: at most %d characters are possible", value,
		            TEMPLATE_MAX);
	else if (template.has_inner)
		check_warn(check, NULL, "\"%s\": within a segment a wildcard is taken as it stands", value);
}

static void check_value(struct check *check, enum value_type type, const char *value)
{
	if (text_is_empty(value)) {
		check_error(check, NULL, "must not be empty");
		return;
	}
	switch (type) {
	case VALUE_TEXT:
		check_wildcards(check, value);
		break;
	case VALUE_IP:
		check_ip_or_cidr(check, NULL, value);
		break;
	case VALUE_PORT:
		check_port_text(check, value);
		break;
	case VALUE_PATH:
		check_path(check, value);
		break;
	case VALUE_HOST:
		check_host(check, value);
		break;
	case VALUE_METHOD:
		check_method(check, value);
		break;
	case VALUE_PRINCIPAL:
		check_principal(check, value);
		break;
	case VALUE_NAMESPACE:
		check_namespace(check, value);
		break;
	case VALUE_TRUST_DOMAIN:
		check_expression(check, value);
		check_wildcards(check, value);
		break;
	case VALUE_SERVICE_ACCOUNT:
		check_service_account(check, value);
		break;
	}
}

static void check_list(struct check *check, const struct list *list)
{
	if (list->type == VALUE_SERVICE_ACCOUNT && list->n > SERVICE_ACCOUNTS_MAX)
		check_error(check, list->field, "lists %zu service accounts, at most %d are possible", list->n,
		            SERVICE_ACCOUNTS_MAX);
	for (size_t i = 0; i < list->n; i++) {
		check_enter_at(check, list->field, i);
		check_value(check, list->type, list->values[i]);
		check_leave(check);
	}
}

/* The lists of a source or an operation. `has_tcp`: something in them is known without HTTP. */
static void check_lists(struct check *check, const struct list *lists, size_t n, bool is_custom, bool *has_tcp)
{
	bool is_empty = true;
	for (size_t i = 0; i < n; i++) {
		check_list(check, &lists[i]);
		if (lists[i].n == 0)
			continue;
		is_empty = false;
		*has_tcp |= lists[i].is_tcp;
		if (is_custom && lists[i].is_no_custom)
			check_error(check, lists[i].field, "is not possible with action CUSTOM");
	}
	if (is_empty)
		check_error(check, NULL, "must say something: with nothing in it, it would match everything");
}

static void check_source(struct check *check, const istio_authorization_source *source, bool is_custom, bool *has_tcp)
{
	const struct list lists[] = {
	    {"principals", LIST(source, principals), VALUE_PRINCIPAL, true, true},
	    {"notPrincipals", LIST(source, not_principals), VALUE_PRINCIPAL, true, true},
	    {"requestPrincipals", LIST(source, request_principals), VALUE_TEXT, false, true},
	    {"notRequestPrincipals", LIST(source, not_request_principals), VALUE_TEXT, false, true},
	    {"namespaces", LIST(source, namespaces), VALUE_NAMESPACE, true, true},
	    {"notNamespaces", LIST(source, not_namespaces), VALUE_NAMESPACE, true, true},
	    {"serviceAccounts", LIST(source, service_accounts), VALUE_SERVICE_ACCOUNT, true, true},
	    {"notServiceAccounts", LIST(source, not_service_accounts), VALUE_SERVICE_ACCOUNT, true, true},
	    {"ipBlocks", LIST(source, ip_blocks), VALUE_IP, true, false},
	    {"notIpBlocks", LIST(source, not_ip_blocks), VALUE_IP, true, false},
	    {"remoteIpBlocks", LIST(source, remote_ip_blocks), VALUE_IP, true, false},
	    {"notRemoteIpBlocks", LIST(source, not_remote_ip_blocks), VALUE_IP, true, false},
	    {"trustDomains", LIST(source, trust_domains), VALUE_TRUST_DOMAIN, true, true},
	    {"notTrustDomains", LIST(source, not_trust_domains), VALUE_TRUST_DOMAIN, true, true},
	};
	check_lists(check, lists, N_LISTS(lists), is_custom, has_tcp);
	bool has_accounts = source->n_service_accounts + source->n_not_service_accounts > 0;
	bool has_names =
	    source->n_principals + source->n_not_principals + source->n_namespaces + source->n_not_namespaces > 0;
	if (has_accounts && has_names)
		check_error(check, source->n_service_accounts > 0 ? "serviceAccounts" : "notServiceAccounts",
		            "is not possible together with principals or namespaces");
}

static void check_operation(struct check *check, const istio_authorization_operation *operation, bool *has_tcp)
{
	const struct list lists[] = {
	    {"hosts", LIST(operation, hosts), VALUE_HOST},
	    {"notHosts", LIST(operation, not_hosts), VALUE_HOST},
	    {"ports", LIST(operation, ports), VALUE_PORT, true},
	    {"notPorts", LIST(operation, not_ports), VALUE_PORT, true},
	    {"methods", LIST(operation, methods), VALUE_METHOD},
	    {"notMethods", LIST(operation, not_methods), VALUE_METHOD},
	    {"paths", LIST(operation, paths), VALUE_PATH},
	    {"notPaths", LIST(operation, not_paths), VALUE_PATH},
	};
	check_lists(check, lists, N_LISTS(lists), false, has_tcp);
}

static const struct attribute *find_attribute(const char *key)
{
	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
		const struct attribute *attribute = &attributes[i];
		if (attribute->is_map ? text_has_prefix(key, attribute->key) : strcmp(key, attribute->key) == 0)
			return attribute;
	}
	return NULL;
}

/* NAME[MEMBER] */
static bool has_member(const char *key)
{
	const char *open = strchr(key, '[');
	return open && text_has_suffix(key, "]") && strlen(open) > strlen("[]");
}

static void check_condition(struct check *check, const istio_authorization_condition *condition, bool is_custom)
{
	const struct attribute *attribute = find_attribute(condition->key);
	if (text_is_empty(condition->key))
		check_error(check, "key", "must not be empty");
	else if (!attribute)
		check_error(check, "key", "\"%s\" is not known; source.ip and request.headers[NAME] would be",
		            condition->key);
	else if (attribute->instead)
		check_error(check, "key", "%s is not possible: use %s", condition->key, attribute->instead);
	else if (attribute->is_map && !has_member(condition->key))
		check_error(check, "key", "\"%s\" must have the form %s[NAME]", condition->key, attribute->key);
	else if (is_custom && attribute->is_no_custom)
		check_error(check, "key", "%s is not possible with action CUSTOM", condition->key);
	if (condition->n_values == 0 && condition->n_not_values == 0)
		check_error(check, "values", "values, notValues or both are required");
	enum value_type type = attribute ? attribute->type : VALUE_TEXT;
	check_list(check, &(struct list){"values", LIST(condition, values), type});
	check_list(check, &(struct list){"notValues", LIST(condition, not_values), type});
}

/* `from: []` would be taken for "from nobody", and means "from anywhere". */
static void check_written(struct check *check, const char *field, size_t n)
{
	if (n == 0 && check_is_written(check, field))
		check_warn(check, field, "an empty list counts as left out, and matches everything");
}

static void check_sources(struct check *check, const istio_authorization_rule *rule, bool is_custom, bool *has_tcp)
{
	check_written(check, "from", rule->n_from);
	if (rule->n_from > RULES_MAX)
		check_error(check, "from", "lists %zu sources, at most %d are possible", rule->n_from, RULES_MAX);
	for (size_t i = 0; i < rule->n_from; i++) {
		check_enter_at(check, "from", i);
		if (rule->from[i]->source) {
			check_enter(check, "source");
			check_source(check, rule->from[i]->source, is_custom, has_tcp);
			check_leave(check);
		} else {
			check_error(check, "source", "is required");
		}
		check_leave(check);
	}
}

static void check_operations(struct check *check, const istio_authorization_rule *rule, bool *has_tcp)
{
	check_written(check, "to", rule->n_to);
	for (size_t i = 0; i < rule->n_to; i++) {
		check_enter_at(check, "to", i);
		if (rule->to[i]->operation) {
			check_enter(check, "operation");
			check_operation(check, rule->to[i]->operation, has_tcp);
			check_leave(check);
		} else {
			check_error(check, "operation", "is required");
		}
		check_leave(check);
	}
}

static void check_rule(struct check *check, const istio_authorization_policy *policy,
                       const istio_authorization_rule *rule)
{
	bool is_custom = policy->action == ACTION(CUSTOM), is_deny = policy->action == ACTION(DENY);
	bool has_tcp_source = false, has_tcp_operation = false;
	check_sources(check, rule, is_custom, &has_tcp_source);
	check_operations(check, rule, &has_tcp_operation);
	check_written(check, "when", rule->n_when);
	for (size_t i = 0; i < rule->n_when; i++) {
		check_enter_at(check, "when", i);
		check_condition(check, rule->when[i], is_custom);
		check_leave(check);
	}
	/* what is not known of TCP is left out of a DENY, so that it rather denies too much */
	if (is_deny && (rule->n_to > 0 ? !has_tcp_operation : rule->n_from > 0 && !has_tcp_source))
		check_warn(
		    check, NULL,
		    "denies everything on TCP ports, for it looks at nothing that is known of TCP: name the ports "
		    "that it is for");
}

static void check_action(struct check *check, const istio_authorization_policy *policy)
{
	bool has_provider =
	    policy->action_detail_case == ISTIO__SECURITY__V1BETA1__AUTHORIZATION_POLICY__ACTION_DETAIL_PROVIDER;
	bool is_custom = policy->action == ACTION(CUSTOM), is_deny = policy->action == ACTION(DENY);
	if ((is_custom || is_deny) && policy->n_rules == 0)
		check_error(check, "rules",
		            "are required with action %s, which without them is never taken; an empty rule {} "
		            "matches everything",
		            is_custom ? "CUSTOM" : "DENY");
	if (is_custom && policy->n_rules > 0 && (!has_provider || text_is_empty(policy->provider->name)))
		check_error(check, "provider", "action CUSTOM needs the name of a provider");
	if (!is_custom && has_provider)
		check_error(check, "provider", "is for action CUSTOM only");
	if (object_annotation(check->object, "istio.io/dry-run") && !is_deny && policy->action != ACTION(ALLOW))
		check_error(check, "action", "annotation istio.io/dry-run is possible with ALLOW and DENY only");
}

void check_authorization_policy(struct check *check, const ProtobufCMessage *message)
{
	const istio_authorization_policy *policy = (const istio_authorization_policy *)message;
	check_policy_targets(check, &(struct check_policy_targets){
	                                .selector = policy->selector,
	                                .target_ref = policy->targetref,
	                                .target_refs = policy->targetrefs,
	                                .n_target_refs = policy->n_targetrefs,
	                            });
	check_action(check, policy);
	if (policy->n_rules > RULES_MAX)
		check_error(check, "rules", "lists %zu rules, at most %d are possible", policy->n_rules, RULES_MAX);
	for (size_t i = 0; i < policy->n_rules; i++) {
		check_enter_at(check, "rules", i);
		check_rule(check, policy, policy->rules[i]);
		check_leave(check);
	}
}
