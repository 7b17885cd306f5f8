#include "base/option.h"

#include "base/environment.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

/* ---- values ---- */

bool option_parse_address(const char *address, char host[OPTION_HOST_MAX], uint16_t *port, struct error *error)
{
	const char *colon = strrchr(address, ':');
	uint64_t number = 0;

	if (!colon)
		return error_set(error, "\"%s\" has no port: write HOST:PORT, such as 127.0.0.1:15010", address);
	if (!text_parse_uint(colon + 1, UINT16_MAX, &number))
		return error_set(error, "\"%s\": the port must be a number from 0 to 65535", address);

	const char *start = address;
	size_t n = (size_t)(colon - address);
	bool is_bracketed = n >= 2 && start[0] == '[' && start[n - 1] == ']';
	if (is_bracketed) {
		start++;
		n -= 2;
	} else if (memchr(start, ':', n)) {
		return error_set(error, "\"%s\": write an IPv6 address in brackets, such as [::1]:15010", address);
	}
	if (!n)
		return error_set(error,
		                 "\"%s\" has no host: 0.0.0.0%s is every interface, 127.0.0.1%s this machine only",
		                 address, colon, colon);
	if (n >= OPTION_HOST_MAX)
		return error_set(error, "the host is longer than %d bytes", OPTION_HOST_MAX - 1);
	memcpy(host, start, n);
	host[n] = '\0';
	struct in6_addr ipv6;
	if (is_bracketed && inet_pton(AF_INET6, host, &ipv6) != 1)
		return error_set(error, "\"%s\": what stands in brackets is no IPv6 address", address);
	*port = (uint16_t)number;
	return true;
}

bool option_is_loopback(const char *address)
{
	char host[OPTION_HOST_MAX];
	uint16_t port;
	struct error error;
	struct in_addr ipv4;

	if (!option_parse_address(address, host, &port, &error))
		return false;
	if (inet_pton(AF_INET, host, &ipv4) == 1)
		return ntohl(ipv4.s_addr) >> 24 == 127;
	return !strcmp(host, "localhost") || !strcmp(host, "::1");
}

/* RFC 1123 label, which is what a namespace is. */
static bool is_namespace(const char *s)
{
	size_t n = strlen(s);
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	return n > 0 && n <= 63 && strspn(s, letters) == n && s[0] != '-' && s[n - 1] != '-';
}

static bool set_path(struct option_list *paths, const char *value, struct error *error)
{
	if (!*value)
		return error_set(error, "the path is empty");
	if (paths->n == OPTION_LIST_MAX)
		return error_set(error, "more than %d paths: put the files into one folder", OPTION_LIST_MAX);
	paths->v[paths->n++] = value;
	return true;
}

static bool set_host(struct option_list *hosts, const char *value, struct error *error)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	size_t n = strlen(value);
	if (!n || n > 253 || strspn(value, letters) != n)
		return error_set(error, "\"%s\" is no host name: lower-case letters, digits, \"-\" and \".\"", value);
	if (hosts->n == OPTION_LIST_MAX)
		return error_set(error, "more than %d names", OPTION_LIST_MAX);
	hosts->v[hosts->n++] = value;
	return true;
}

static bool set_format(bool *is_json, const char *value, struct error *error)
{
	*is_json = !strcmp(value, "json");
	return *is_json || !strcmp(value, "text") || error_set(error, "\"%s\" is neither text nor json", value);
}

static bool set_seconds(int64_t *seconds, const char *value, struct error *error)
{
	uint64_t number = 0;
	if (!text_parse_uint(value, OPTION_SECONDS_MAX, &number))
		return error_set(error, "\"%s\" is no whole number from 0 to %d", value, OPTION_SECONDS_MAX);
	*seconds = (int64_t)number;
	return true;
}

static bool set_number(int64_t *at, const char *value, struct error *error)
{
	uint64_t number = 0;
	if (!text_parse_uint(value, OPTION_NUMBER_MAX, &number))
		return error_set(error, "\"%s\" is no whole number from 0 to %d", value, OPTION_NUMBER_MAX);
	*at = (int64_t)number;
	return true;
}

/* Seconds of one "30m" at *at, which moves behind it; -1: it is none. */
static int64_t duration_part(const char **at)
{
	static const struct {
		char letter;
		int64_t s;
	} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	int64_t number = 0;

	for (; **at >= '0' && **at <= '9' && number <= OPTION_DURATION_MAX_S; (*at)++)
		number = number * 10 + (**at - '0');
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (**at != units[i].letter)
			continue;
		(*at)++;
		return number <= OPTION_DURATION_MAX_S ? number * units[i].s : INT64_MAX / 2;
	}
	return -1;
}

bool option_parse_duration(const char *s, int64_t *seconds, struct error *error)
{
	int64_t sum = 0;

	for (const char *at = s; *at && sum >= 0 && sum <= OPTION_DURATION_MAX_S;) {
		bool is_number = *at >= '0' && *at <= '9';
		int64_t part = is_number ? duration_part(&at) : -1;
		sum = part < 0 ? -1 : sum + part;
	}
	if (sum <= 0 || sum > OPTION_DURATION_MAX_S)
		return error_set(error, "\"%s\" is no duration up to ten years, such as 24h, 90d or 1h30m", s);
	*seconds = sum;
	return true;
}

/* Which of "a|b|c" it is. */
static bool set_choice(const struct option_row *option, int *index, const char *value, struct error *error)
{
	int i = 0;

	for (const char *at = option->argument; at; i++) {
		size_t n = strcspn(at, "|");
		if (strlen(value) == n && !strncmp(at, value, n)) {
			*index = i;
			return true;
		}
		at = at[n] ? at + n + 1 : NULL;
	}
	return error_set(error, "\"%s\" is none of %s", value, option->argument);
}

static bool option_set(const struct option_row *option, void *options, const char *value, struct error *error)
{
	void *at = (char *)options + option->at;
	char host[OPTION_HOST_MAX];
	uint16_t port;

	assert(value); /* whoever takes an argument has one */
	switch (option->type) {
	case OPTION_PATHS:
		return set_path(at, value, error);
	case OPTION_HOSTS:
		return set_host(at, value, error);
	case OPTION_STRING:
		if (!*value)
			return error_set(error, "the value is empty");
		*(const char **)at = value;
		return true;
	case OPTION_NAME:
		if (!is_namespace(value))
			return error_set(
			    error, "\"%s\" is no namespace: lower-case letters, digits and \"-\", at most 63", value);
		*(const char **)at = value;
		return true;
	case OPTION_ADDRESS:
		if (!option_parse_address(value, host, &port, error))
			return false;
		*(const char **)at = value;
		return true;
	case OPTION_LEVEL:
		return log_level_parse(value, at) ||
		       error_set(error, "\"%s\" is none of debug, info, warn, error", value);
	case OPTION_FORMAT:
		return set_format(at, value, error);
	case OPTION_SECONDS:
		return set_seconds(at, value, error);
	case OPTION_NUMBER:
		return set_number(at, value, error);
	case OPTION_DURATION:
		return option_parse_duration(value, at, error);
	case OPTION_CHOICE:
		return set_choice(option, at, value, error);
	case OPTION_FLAG:
	case OPTION_HELP:
	case OPTION_VERSION:
		break;
	}
	return error_set(error, "this option takes no value"); /* the caller has seen to that */
}

/* ---- where values come from ---- */

static void set_defaults(const struct option_table *table, void *options)
{
	struct error error;

	for (size_t i = 0; i < table->n; i++) {
		const struct option_row *option = &table->rows[i];
		bool is_set = !option->default_value || option_set(option, options, option->default_value, &error);
		assert(is_set);
	}
}

static bool is_list(const struct option_row *option)
{
	return option->type == OPTION_PATHS || option->type == OPTION_HOSTS;
}

/* Cuts in place: the environment block is ours, and values must outlive the parsing. */
static bool set_list(const struct option_row *option, void *options, char *list, struct error *error)
{
	const char *separator = option->type == OPTION_PATHS ? ":" : ",";

	for (char *item; (item = strsep(&list, separator));) {
		if (*item && !option_set(option, options, item, error))
			return false;
	}
	return true;
}

/* "true" and "false", as environment variables of flags say it. */
static bool set_flag(const struct option_row *option, void *options, const char *value, struct error *error)
{
	bool *at = (void *)((char *)options + option->at);

	*at = !strcmp(value, "true");
	return *at || !strcmp(value, "false") || error_set(error, "\"%s\" is neither true nor false", value);
}

static bool set_variable(const struct option_row *option, void *options, char *value, struct error *error)
{
	if (is_list(option))
		return set_list(option, options, value, error);
	if (option->type == OPTION_FLAG)
		return set_flag(option, options, value, error);
	return option_set(option, options, value, error);
}

static bool read_environment(const struct option_table *table, char *const *environment, void *options,
                             struct error *error)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct option_row *option = &table->rows[i];
		char *value = option->environment ? environment_get(environment, option->environment) : NULL;
		if (value && !set_variable(option, options, value, error))
			return error_wrap(error, "environment variable %s", option->environment);
	}
	return true;
}

static const struct option_row *option_find(const struct option_table *table, const char *name, size_t n)
{
	for (size_t i = 0; i < table->n; i++) {
		if (strlen(table->rows[i].name) == n && !strncmp(table->rows[i].name, name, n))
			return &table->rows[i];
	}
	return NULL;
}

/* The option that argument i names, with its value; i moves past both. */
static const struct option_row *next_option(const struct option_table *table, const struct option_input *input, int *i,
                                            const char **value, struct error *error)
{
	const char *argument = input->argv[(*i)++];

	if (!text_has_prefix(argument, "--") || !argument[2]) {
		error_set(error, "unexpected argument \"%s\": options begin with --", argument);
		return NULL;
	}
	const char *equals = strchr(argument, '=');
	size_t n = equals ? (size_t)(equals - argument) - 2 : strlen(argument + 2);
	const struct option_row *option = option_find(table, argument + 2, n);
	if (!option) {
		error_set(error, "unknown option %.*s", (int)n + 2, argument);
		return NULL;
	}
	*value = equals ? equals + 1 : NULL;
	if (!option->argument && *value) {
		error_set(error, "--%s takes no value", option->name);
		return NULL;
	}
	if (option->argument && !*value) {
		if (*i >= input->argc) {
			error_set(error, "--%s needs a value: --%s %s", option->name, option->name, option->argument);
			return NULL;
		}
		*value = input->argv[(*i)++];
	}
	return option;
}

/* A repeatable option on the command line stands instead of the environment's, not besides it. */
static void begin_list(const struct option_row *option, void *options, uint64_t *seen, size_t index)
{
	struct option_list *list = (void *)((char *)options + option->at);

	if (is_list(option) && !(*seen >> index & 1))
		list->n = 0;
	*seen |= UINT64_C(1) << index;
}

static enum options_outcome read_arguments(const struct option_table *table, const struct option_input *input,
                                           void *options, int *rest, struct error *error)
{
	uint64_t seen = 0;
	int i = 1;

	assert(table->n <= 64);
	while (i < input->argc) {
		const char *value = NULL;
		if (rest && !strcmp(input->argv[i], "--")) {
			i++;
			break;
		}
		const struct option_row *option = next_option(table, input, &i, &value, error);
		if (!option)
			return OPTIONS_USAGE;
		if (option->type == OPTION_HELP)
			return OPTIONS_HELP;
		if (option->type == OPTION_VERSION)
			return OPTIONS_VERSION;
		begin_list(option, options, &seen, (size_t)(option - table->rows));
		if (option->type == OPTION_FLAG) {
			*(bool *)(void *)((char *)options + option->at) = true;
		} else if (!option_set(option, options, value, error)) {
			error_wrap(error, "--%s", option->name);
			return OPTIONS_USAGE;
		}
	}
	if (rest)
		*rest = i;
	return OPTIONS_RUN;
}

enum options_outcome option_read(const struct option_table *table, const struct option_input *input, void *options,
                                 int *rest, struct error *error)
{
	struct error argument_error;

	set_defaults(table, options);
	bool is_environment_good = read_environment(table, input->environment, options, error);
	enum options_outcome outcome = read_arguments(table, input, options, rest, &argument_error);
	if (outcome == OPTIONS_USAGE)
		*error = argument_error;
	return outcome == OPTIONS_RUN && !is_environment_good ? OPTIONS_USAGE : outcome;
}
