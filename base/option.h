#pragma once
/*
 * A program's options: one const table drives parsing, the environment and the manual page (manual_page.h).
 *
 *     static const struct option_row rows[] = {
 *         {"config", OPTION_PATHS, offsetof(struct options, config_paths), "PATH", NULL, "WEFT_CONFIG", "A folder …"},
 * …
 *     };
 *     switch (option_read(&(struct option_table){rows, n}, &(struct option_input){argc, argv, environ}, &options, NULL,
 *                         &error)) …
 *
 * `--name VALUE` and `--name=VALUE`; the command line wins over the environment, which wins over the default. Strings
 * are borrowed from argv, from the environment or from the table.
 */
#include "base/error.h"
#include "base/log.h"

#include <stddef.h>
#include <stdint.h>

#define OPTION_LIST_MAX 64
#define OPTION_SECONDS_MAX 3600
#define OPTION_NUMBER_MAX INT32_MAX
#define OPTION_DURATION_MAX_S INT64_C(315360000) /* ten years */
#define OPTION_HOST_MAX 256

enum options_outcome {
	OPTIONS_RUN,
	OPTIONS_HELP,    /* --help was given: print the manual */
	OPTIONS_VERSION, /* --version was given */
	OPTIONS_USAGE,   /* a mistake: the error says which; exit 2 */
};

/* How an option's value is read, and the type of what it goes to. */
enum option_type {
	OPTION_PATHS,    /* struct option_list: repeatable; in the environment several with ":" between */
	OPTION_HOSTS,    /* struct option_list: repeatable host names; in the environment with "," between */
	OPTION_STRING,   /* const char *, not empty */
	OPTION_NAME,     /* const char *, a namespace */
	OPTION_ADDRESS,  /* const char *, HOST:PORT */
	OPTION_LEVEL,    /* enum log_level */
	OPTION_FORMAT,   /* bool: is it json, not text */
	OPTION_SECONDS,  /* int64_t, a number up to OPTION_SECONDS_MAX */
	OPTION_NUMBER,   /* int64_t, up to OPTION_NUMBER_MAX */
	OPTION_DURATION, /* int64_t, in seconds: see option_parse_duration */
	OPTION_CHOICE,   /* int: which of those that the argument names, "text|json" */
	OPTION_FLAG,     /* bool: takes no value; in the environment true or false */
	OPTION_HELP,
	OPTION_VERSION,
};

struct option_list {
	const char *v[OPTION_LIST_MAX]; /* in the order given */
	size_t n;
};

struct option_row {
	const char *name;
	enum option_type type;
	size_t at;                 /* offset in the program's struct */
	const char *argument;      /* what the manual calls the value; NULL: takes none */
	const char *default_value; /* as it would be written; NULL: none */
	const char *environment;   /* NULL: command line only */
	const char *help;
};

struct option_table {
	const struct option_row *rows;
	size_t n; /* 64 at most */
};

struct option_input {
	int argc;
	char *const *argv;
	char *const *environment; /* "NAME=value" strings, NULL-terminated, as environ(7); may be NULL */
};

/*
 * *options is the program's struct, zeroed. rest: where what stands behind "--" begins in argv; NULL: the program takes
 * no such arguments.
 */
enum options_outcome option_read(const struct option_table *table, const struct option_input *input, void *options,
                                 int *rest, struct error *error);

/*
 * "127.0.0.1:15010", "[::1]:15010", "localhost:0" to a host (without brackets) and a port. The host must be there:
 * "0.0.0.0:15010" says "every interface", so nobody opens a port to the world by leaving something out.
 */
bool option_parse_address(const char *address, char host[OPTION_HOST_MAX], uint16_t *port, struct error *error);
/* Seconds of "24h", "90d", "1h30m": whole numbers with d, h, m or s; more than zero. */
bool option_parse_duration(const char *s, int64_t *seconds, struct error *error);
/* Whether only this machine reaches the address. */
bool option_is_loopback(const char *address);
