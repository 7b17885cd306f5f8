#pragma once
/*
 * weftd's options: one const table (options.c) drives parsing, the environment and --help (manual.h).
 *
 *     struct options options;
 *     switch (options_parse(argc, argv, environ, &options, &error)) …
 *
 * `--name VALUE` and `--name=VALUE`; the command line wins over the environment (WEFT_NAME), which wins over the
 * default. Strings are borrowed from argv, from the environment or from the table.
 */
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

#define OPTIONS_PATHS_MAX 64
#define OPTIONS_TLS_NAMES_MAX 32
#define OPTIONS_SECONDS_MAX 3600
#define OPTIONS_DURATION_MAX_S INT64_C(315360000) /* ten years */

enum options_outcome {
	OPTIONS_RUN,
	OPTIONS_HELP,    /* --help was given: print manual.h's page */
	OPTIONS_VERSION, /* --version was given */
	OPTIONS_USAGE,   /* a mistake: the error says which; exit 2 */
};

struct options {
	const char *config_paths[OPTIONS_PATHS_MAX]; /* folders and files of configuration, in the order given */
	size_t n_config_paths;
	const char *kubeconfig;     /* NULL: KUBECONFIG, or the cluster that weftd runs in */
	const char *context;        /* of the kubeconfig; NULL: its current one */
	bool is_kube;               /* objects come from an API server, too or alone */
	const char *mesh_path;      /* NULL: none */
	const char *root_namespace; /* "istio-system" */
	const char *xds_address;    /* "127.0.0.1:15010" */
	const char *tls_address;    /* NULL: none */
	int64_t max_connection_s;   /* 0: for ever */
	const char *admin_address;  /* "127.0.0.1:15014" */
	const char *port_file;      /* NULL: none */
	enum log_level log_level;
	bool is_log_json;
	int64_t drain_s;
	int64_t stalled_s;
	int64_t relist_s;
	int64_t stale_s;
	const char *ca_dir;    /* NULL: /etc/cacerts, when it is there */
	const char *state_dir; /* NULL: none */
	const char *tls_names[OPTIONS_TLS_NAMES_MAX];
	size_t n_tls_names;
	int64_t cert_ttl_s, cert_ttl_max_s; /* of workloads' certificates */
	const char *token_keys;             /* a file with another issuer's keys; NULL: none */
	const char *token_issuer;           /* of those */
	const char *token_audience;
	const char *control_socket; /* NULL: in the state folder, or under /run */
};

/* environment: "NAME=value" strings, NULL-terminated, as environ(7). */
enum options_outcome options_parse(int argc, char *const *argv, char *const *environment, struct options *options,
                                   struct error *error);

/* How an option's value is read and where it goes. */
enum option_type {
	OPTION_PATHS, /* repeatable; the environment variable holds one, or several with ":" between */
	OPTION_STRING,
	OPTION_NAME, /* a Kubernetes name */
	OPTION_ADDRESS,
	OPTION_LEVEL,
	OPTION_FORMAT,
	OPTION_SECONDS,
	OPTION_DURATION, /* "24h", "20s", "1h30m" */
	OPTION_HOSTS,    /* repeatable, as OPTION_PATHS, with "," between in the environment */
	OPTION_HELP,
	OPTION_VERSION,
};

struct option_row {
	const char *name;
	enum option_type type;
	size_t at;                 /* offset in struct options */
	const char *argument;      /* what --help calls the value; NULL: takes none */
	const char *default_value; /* as it would be written; NULL: none */
	const char *environment;   /* NULL: command line only */
	const char *help;
};

#define OPTIONS_COUNT 27
extern const struct option_row options_table[OPTIONS_COUNT];

#define OPTIONS_HOST_MAX 256
/*
 * "127.0.0.1:15010", "[::1]:15010", "localhost:0" to a host (without brackets) and a port. The host must be there:
 * "0.0.0.0:15010" says "every interface", so nobody opens a port to the world by leaving something out.
 */
bool options_parse_address(const char *address, char host[OPTIONS_HOST_MAX], uint16_t *port, struct error *error);
/* Seconds of "24h", "90d", "1h30m": whole numbers with d, h, m or s; more than zero. */
bool options_parse_duration(const char *s, int64_t *seconds, struct error *error);
/* Whether only this machine reaches the address. */
bool options_is_loopback(const char *address);
