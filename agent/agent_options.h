#pragma once
/*
 * weft-agent's options: one const table drives parsing, the environment and --help (base/option.h, agent_manual.h).
 * Where the field has a name for a variable (Istio's sidecar injector sets POD_NAME, INSTANCE_IP and so on) that name
 * is taken.
 */
#include "base/option.h"

enum agent_role { AGENT_SIDECAR, AGENT_ROUTER };

struct agent_options {
	/* the control plane */
	const char *control_plane; /* HOST:PORT */
	const char *server_name;   /* of its certificate; NULL: the host */
	const char *roots_file;
	const char *token_file;
	const char *trust_domain;
	int64_t ttl_s; /* 0: the control plane's */
	int key_type;  /* enum private_key_type */
	/* who this is */
	int role; /* enum agent_role */
	const char *pod_name, *pod_namespace, *service_account, *instance_ip;
	const char *domain;      /* of the cluster: "cluster.local" */
	const char *labels_file; /* as the downward API writes it */
	const char *cluster_id, *network;
	/* Envoy */
	const char *socket_path;
	int64_t socket_owner; /* user id; -1: whoever the agent runs as */
	const char *bootstrap_file;
	const char *envoy_path;
	bool is_without_envoy;
	const char *admin_address, *stats_address, *status_address;
	int64_t drain_s;
	int64_t concurrency; /* Envoy's threads; 0: as many as there are processors */
	enum log_level log_level;
	bool is_log_json;
	char *const *envoy_arguments; /* behind "--", up to NULL */
};

enum options_outcome agent_options_parse(int argc, char *const *argv, char *const *environment,
                                         struct agent_options *options, struct error *error);
extern const struct option_table agent_options_table;
