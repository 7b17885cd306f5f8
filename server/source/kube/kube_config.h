#pragma once
/*
 * Where the API server is and as whom to call it: from kubeconfig files, or from the pod that weftd runs in. Read once,
 * const; what rotates (token files, certificates in files, exec plugins) is kube_credentials.h's business.
 *
 *     struct kube_config *config = kube_config_load(&options, &error);     NULL: error says what to do
 *     kube_config_free(config);
 *
 * Kubeconfig files are read as kubectl reads them (k8s.io/client-go, clientcmd): of several files the first that has a
 * name wins, and the first current-context; relative paths start at the file that they stand in; unknown fields are
 * ignored; to a server by plain http nothing is presented. In a pod: the environment's KUBERNETES_SERVICE_HOST and
 * _PORT, and the service account's mounted folder.
 */
#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define KUBE_CONFIG_BYTES_MAX (1u << 20) /* of one kubeconfig file */
#define KUBE_CONFIG_FILES_MAX 32         /* of one list */
#define KUBE_PEM_BYTES_MAX (256u << 10)
#define KUBE_TOKEN_BYTES_MAX (64u << 10)
#define KUBE_EXEC_WORDS_MAX 256 /* arguments, and variables, of a plugin */
#define KUBE_IN_CLUSTER_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

struct kube_config_options {
	const char *kubeconfig;     /* a file, or several with ":" between; NULL: what KUBECONFIG lists, else the pod */
	const char *context;        /* NULL: the current-context */
	char *const *environment;   /* as environ(7) */
	const char *in_cluster_dir; /* NULL: KUBE_IN_CLUSTER_DIR */
};

/* PEM: in the kubeconfig itself, or in a file that is read again when it changes. */
struct kube_pem {
	const char *data; /* NULL: none */
	size_t n;
	const char *file; /* NULL: none */
};

/* A program that prints a credential (client.authentication.k8s.io/v1 or v1beta1). */
struct kube_exec {
	const char *api_version, *command, *install_hint; /* install_hint: NULL when there is none */
	const char *const *arguments;                     /* with the command first, NULL-terminated */
	const char *const *environment;                   /* "NAME=value", NULL-terminated, on top of weftd's own */
	bool wants_cluster_info;
};

struct kube_config {
	const char *server;          /* "https://10.96.0.1:443", without a slash at the end */
	const char *tls_server_name; /* NULL: the server's host */
	const char *proxy_url;       /* NULL: what the environment says */
	const char *namespace;       /* of the context, or of the pod; "default" */
	const char *description;     /* for messages: "context test of /home/a/.kube/config" */
	bool is_insecure;            /* the server's certificate is not looked at */
	struct kube_pem ca, cert, key;
	const char *token, *token_file;  /* the file wins; NULL: none */
	const char *username, *password; /* NULL: none */
	const struct kube_exec *exec;    /* NULL: none */
	char *const *environment;        /* of the options; for exec plugins */

	struct arena *arena; /* private */
};

struct kube_config *kube_config_load(const struct kube_config_options *options, struct error *error);
void kube_config_free(struct kube_config *config); /* NULL is fine */

/* Whether it may stand in a header: no line ends in it, nor other control characters. "" is none. */
bool kube_token_is_fit(const char *s, size_t n);
/* A whole file of at most `max` bytes, NUL-terminated, in the arena. NULL: error says what and why. */
const char *kube_read_file(struct arena *arena, const char *path, size_t max, size_t *n, struct error *error);
