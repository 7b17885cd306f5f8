#include "base/option.h"
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
        .help = "How long the token is good, such as 30m, 1h or 7d. It cannot be taken back before.",
    },
};

static void token_wipe(struct text *token)
{
	if (token->s)
		OPENSSL_cleanse(token->s, token->n);
	text_done(token);
}

/* What the command line asks for. */
static bool read_request(const struct arguments *arguments, struct service_account *account,
                         struct token_request *request, struct error *error)
{
	*request = (struct token_request){.account = account, .audience = arguments_get(arguments, "audience")};
	if (!option_parse_duration(arguments_get(arguments, "ttl"), &request->ttl_s, error))
		return error_wrap(error, "--ttl");
	if (request->ttl_s > TOKEN_TTL_MAX_S)
		return error_set(error, "--ttl: at most %lldd", (long long)(TOKEN_TTL_MAX_S / 86400));
	return service_account_make(arguments_get(arguments, "namespace"), arguments_get(arguments, "service-account"),
	                            account, error);
}

static bool create(const struct arguments *arguments, const struct token_request *request, struct text *out,
                   struct error *error)
{
	CLEANUP(token_key_freep) struct token_key *key = token_key_read(arguments_get(arguments, "state-dir"), error);
	if (!key || !token_key_sign(key, request, clock_system(), out, error))
		return false;
	text_add_char(out, '\n');
	return true;
}

static int run(const struct arguments *arguments)
{
	CLEANUP(token_wipe) struct text out = {0};
	struct service_account account;
	struct token_request request;
	struct error error;
	bool is_sound = read_request(arguments, &account, &request, &error);
	if (is_sound && create(arguments, &request, &out, &error))
		return output_write(&out);
	fprintf(stderr, "weft token create: %s\n", error.message);
	return is_sound ? COMMAND_FAILED : COMMAND_USAGE;
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
