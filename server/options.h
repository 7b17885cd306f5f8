#pragma once
/*
 * weftd's options: one const table (options.c) drives parsing, the environment and --help (base/option.h, manual.h).
 *
 *     struct options options;
 *     switch (options_parse(argc, argv, environ, &options, &error)) …
 *
 * The environment variable of --some-name is WEFT_SOME_NAME.
 */
#include "base/option.h"

#define OPTIONS_TLS_ADDRESS "127.0.0.1:15012"
#define OPTIONS_TLS_NAMES_MAX 32 /* TEMPLATE_DNS_MAX holds our own names too */

struct options {
	struct option_list config_paths; /* folders and files of configuration */
	const char *kubeconfig;          /* NULL: KUBECONFIG, or the cluster that weftd runs in */
	const char *context;             /* of the kubeconfig; NULL: its current one */
	bool is_kube;                    /* objects come from an API server, too or alone */
	const char *mesh_path;           /* NULL: none */
	const char *root_namespace;      /* "istio-system" */
	const char *xds_address;         /* "127.0.0.1:15010" */
	const char *tls_address;         /* NULL: none; OPTIONS_TLS_ADDRESS where a folder has an authority */
	int64_t max_connection_s;        /* 0: for ever */
	const char *admin_address;       /* "127.0.0.1:15014" */
	const char *port_file;           /* NULL: none */
	enum log_level log_level;
	bool is_log_json;
	int64_t drain_s;
	int64_t stalled_s;
	int64_t relist_s;
	int64_t stale_s;
	const char *ca_dir;    /* NULL: /etc/cacerts, when it is there */
	const char *state_dir; /* NULL: none */
	struct option_list tls_names;
	int64_t cert_ttl_s, cert_ttl_max_s; /* of workloads' certificates */
	const char *token_keys;             /* a file with another issuer's keys; NULL: none */
	const char *token_issuer;           /* of those */
	const char *token_audience;
	int64_t jwks_refresh_s;     /* how often token issuers are asked for their keys */
	bool is_jwks_private;       /* their answers may lead to private addresses */
	const char *jwks_ca;        /* a file with whom to believe besides the system's roots; NULL: nobody */
	const char *control_socket; /* NULL: in the state folder, or under /run */
};

/* environment: "NAME=value" strings, NULL-terminated, as environ(7). */
enum options_outcome options_parse(int argc, char *const *argv, char *const *environment, struct options *options,
                                   struct error *error);

#define OPTIONS_COUNT 30
extern const struct option_row options_table[OPTIONS_COUNT];
