#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/output.h"
#include "token/token_key.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TTL_DEFAULT "1h"

static const char *const actions[] = {"create", NULL};

static const struct command_option options[] = {
    {
        .name = "state-dir",
        .argument = "DIR",
        .value = COMMAND_VALUE_PATH,
        .is_required = true,
        .help = "The state directory of weftd. The key that signs lies there (" TOKEN_KEY_FILE
                "); weftd makes it when it starts.",
    },
    {
        .name = "namespace",
        .letter = 'n',
        .argument = "NAMESPACE",
        .is_required = true,
        .help = "The namespace of the workload.",
    },
    {
        .name = "service-account",
        .argument = "NAME",
        .is_required = true,
        .help = "The service account of the workload.",
    },
    {
        .name = "audience",
        .argument = "AUDIENCE",
        .default_value = TOKEN_AUDIENCE_DEFAULT,
        .help = "For whom the token is meant. weftd takes those for its certificate service only.",
    },
    {
        .name = "ttl",
        .argument = "DURATION",
        .default_value = TTL_DEFAULT,
        .help = "How long the token is good: a number with s, m, h or d behind it. It cannot be taken back before.",
    },
};

static const struct {
	char unit;
	int64_t seconds;
} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};

static bool parse_ttl(const char *s, int64_t *seconds, struct error *error)
{
	char number[24];
	uint64_t value = 0;
	size_t n = strlen(s);
	if (n > 1 && n < sizeof number) {
		memcpy(number, s, n - 1);
		number[n - 1] = '\0';
		for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
			if (s[n - 1] == units[i].unit &&
			    text_parse_uint(number, (uint64_t)(TOKEN_TTL_MAX_S / units[i].seconds), &value) && value) {
				*seconds = (int64_t)value * units[i].seconds;
				return true;
			}
	}
	return error_set(error, "--ttl: \"%s\" is no duration of 1s to %lldd, as 30m, 1h or 7d", s,
	                 (long long)(TOKEN_TTL_MAX_S / 86400));
}

static void token_wipe(struct text *token)
{
	if (token->s)
		OPENSSL_cleanse(token->s, token->n);
	text_done(token);
}

static bool create(const struct arguments *arguments, struct text *out, struct error *error)
{
	struct service_account account;
	struct token_request request = {.account = &account, .audience = arguments_get(arguments, "audience")};
	if (!parse_ttl(arguments_get(arguments, "ttl"), &request.ttl_s, error) ||
	    !service_account_make(arguments_get(arguments, "namespace"), arguments_get(arguments, "service-account"),
	                          &account, error))
		return false;
	CLEANUP(token_key_freep) struct token_key *key = token_key_read(arguments_get(arguments, "state-dir"), error);
	if (!key || !token_key_sign(key, &request, clock_system(), out, error))
		return false;
	text_add_char(out, '\n');
	return true;
}

static int run(const struct arguments *arguments)
{
	CLEANUP(token_wipe) struct text out = {0};
	struct error error;
	if (create(arguments, &out, &error))
		return output_write(&out);
	fprintf(stderr, "weft token create: %s\n", error.message);
	return COMMAND_FAILED;
}

const struct command command_token = {
    .name = "token",
    .summary = "Make a token for a workload outside a cluster",
    .synopses = (const char *const[]){"token create --state-dir DIR --namespace NAMESPACE --service-account NAME "
                                      "[--audience AUDIENCE] [--ttl DURATION]",
                                      NULL},
    .description =
        (const char *const[]){
            "Prints a token with which a workload's agent proves to weftd which service account it is, and gets its "
            "certificate. In a cluster this is Kubernetes' business; this command is for machines outside one, and for "
            "trying things out.",
            "The token is a secret: whoever has it can be that workload until it ends. So can whoever can read the "
            "state directory be any workload.",
            NULL},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .operand = "create",
    .operand_choices = actions,
    .operands_min = 1,
    .operands_max = 1,
    .exit_statuses = (const struct command_pair[]){{"0", "The token was printed."},
                                                   {"1", "There is no key, or it cannot be used."},
                                                   {"2", "The command line is wrong."},
                                                   {NULL, NULL}},
    .examples =
        (const struct command_pair[]){
            {"weft token create --state-dir /var/lib/weft --namespace default --service-account reviews > token",
             "A token that is good for an hour."},
            {NULL, NULL}},
    .run = run,
};
