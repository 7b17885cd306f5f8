#include "server/source/kube/kube_config.h"

#include "base/environment.h"
#include "base/text.h"
#include "base/vec.h"
#include "base/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

/* One file of a list, as a tree. */
struct source {
	const char *path;
	const struct json *document;
};

struct loading {
	struct arena *arena;
	const struct kube_config_options *options;
	struct source files[KUBE_CONFIG_FILES_MAX];
	size_t n_files;
	struct kube_config *config;
};

/* A named entry of a list, and the file that it stands in. */
struct entry {
	const struct json *value;
	const char *path;
};

bool kube_token_is_fit(const char *s, size_t n)
{
	bool is_fit = n > 0 && text_is_utf8(s, n);
	for (size_t i = 0; is_fit && i < n; i++)
		is_fit = (unsigned char)s[i] >= ' ' && s[i] != 0x7f;
	return is_fit;
}

const char *kube_read_file(struct arena *arena, const char *path, size_t max, size_t *n, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		error_set_errno(error, errno, "%s", path);
		return NULL;
	}
	char *bytes = arena_alloc(arena, max + 2);
	size_t at = 0;
	ssize_t more;
	while (at <= max && (more = read(fd, bytes + at, max + 1 - at)) != 0) {
		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			break;
		at += (size_t)more;
	}
	int failure = at <= max && more < 0 ? errno : 0;
	close(fd);
	if (failure) {
		error_set_errno(error, failure, "%s", path);
		return NULL;
	}
	if (at > max) {
		error_set(error, "%s has more than %zu bytes", path, max);
		return NULL;
	}
	bytes[at] = '\0';
	*n = at;
	return bytes;
}

/* ---- reading files ---- */

/* Of "line 1, column 8: …" the place. */
static int place_length(const char *message)
{
	return (int)strcspn(message, ":");
}

static bool read_source(struct loading *loading, const char *path, bool may_be_missing, struct error *error)
{
	size_t n = 0;
	struct yaml_reader reader;
	struct yaml_document document;

	if (loading->n_files == KUBE_CONFIG_FILES_MAX)
		return error_set(error, "more than %d kubeconfig files", KUBE_CONFIG_FILES_MAX);
	if (may_be_missing && access(path, F_OK) != 0)
		return true;
	const char *s = kube_read_file(loading->arena, path, KUBE_CONFIG_BYTES_MAX, &n, error);
	if (!s)
		return false;
	yaml_reader_init(&reader, s, n);
	if (!yaml_reader_next(&reader, loading->arena, &document))
		return true; /* an empty file says nothing */
	if (!document.value) /* what is wrong may be a secret, so only its place is said */
		return error_set(error, "%s: %.*s: this is no YAML", path, place_length(document.error.message),
		                 document.error.message);
	if (document.value->type != JSON_OBJECT)
		return error_set(error, "%s is no kubeconfig: it holds %s", path, json_type_name(document.value->type));
	loading->files[loading->n_files++] = (struct source){.path = path, .document = document.value};
	return true;
}

static bool read_sources(struct loading *loading, const char *list, bool may_be_missing, struct error *error)
{
	char *rest = arena_strdup(loading->arena, list);
	for (char *path; (path = strsep(&rest, ":"));)
		if (*path && !read_source(loading, path, may_be_missing, error))
			return false;
	return loading->n_files > 0 || error_set(error, "%s: no such kubeconfig, or it is empty", list);
}

/* ---- looking things up ---- */

/* The first current-context of the files. */
static const char *current_context(const struct loading *loading)
{
	for (size_t i = 0; i < loading->n_files; i++) {
		const char *name = json_get_string(loading->files[i].document, "current-context");
		if (!text_is_empty(name))
			return name;
	}
	return NULL;
}

/* {name: NAME, MEMBER: {…}} of a list such as "clusters", in the first file that has the name. */
static bool find(const struct loading *loading, const char *list, const char *member, const char *name,
                 struct entry *entry, struct error *error)
{
	for (size_t i = 0; i < loading->n_files; i++) {
		const struct json *items = json_get(loading->files[i].document, list);
		for (size_t k = 0; items && items->type == JSON_ARRAY && k < items->array.n; k++) {
			const struct json *item = items->array.v[k];
			if (!text_equal(json_get_string(item, "name"), name))
				continue;
			*entry = (struct entry){.value = json_get(item, member), .path = loading->files[i].path};
			if (entry->value && entry->value->type == JSON_OBJECT)
				return true;
			error_set(error, "%s: %s \"%s\" has no \"%s\"", entry->path, member, name, member);
			return false;
		}
	}
	error_set(error, "the kubeconfig has no %s \"%s\"", member, name);
	return false;
}

static const char *get(const struct entry *entry, const char *key)
{
	const char *value = json_get_string(entry->value, key);
	return text_is_empty(value) ? NULL : value;
}

/* Whether what should be a string is one: a password such as 0123 or a namespace n is something else to YAML. */
static bool are_strings(const struct entry *entry, const char *const *keys, struct error *error)
{
	for (; *keys; keys++) {
		const struct json *value = json_get(entry->value, *keys);
		if (value && value->type != JSON_NULL && value->type != JSON_STRING)
			return error_set(error, "%s: %s is not a string but %s: put it in quotes", entry->path, *keys,
			                 json_type_name(value->type));
	}
	return true;
}

static bool is_set(const struct entry *entry, const char *key)
{
	const struct json *value = json_get(entry->value, key);
	return value && value->type == JSON_BOOL && value->boolean;
}

/* A path as it stands in a file, from where weftd stands. */
static const char *resolve_path(struct arena *arena, const struct entry *entry, const char *path)
{
	const char *slash = strrchr(entry->path, '/');
	if (!path || *path == '/' || !slash)
		return path;
	return arena_printf(arena, "%.*s/%s", (int)(slash - entry->path), entry->path, path);
}

/* Standard base64, white space in it allowed; NULL when it is none. */
static const char *decode_base64(struct arena *arena, const char *text, size_t *n)
{
	size_t n_text = strlen(text);
	char *clean = arena_alloc(arena, n_text + 1);
	size_t at = 0;
	for (size_t i = 0; i < n_text; i++)
		if (!strchr(" \t\r\n", text[i]))
			clean[at++] = text[i];
	unsigned char *bytes = arena_alloc(arena, at / 4 * 3 + 1);
	int length = at % 4 || !at ? -1 : EVP_DecodeBlock(bytes, (const unsigned char *)clean, (int)at);
	if (length < 0)
		return NULL;
	*n = (size_t)length - (clean[at - 1] == '=') - (at > 1 && clean[at - 2] == '=');
	return (const char *)bytes;
}

/* NAME-data wins over NAME. */
static bool read_pem(struct loading *loading, const struct entry *entry, const char *name, struct kube_pem *pem,
                     struct error *error)
{
	const char *data_name = arena_printf(loading->arena, "%s-data", name);
	const char *data = get(entry, data_name);

	pem->file = data ? NULL : resolve_path(loading->arena, entry, get(entry, name));
	if (!data)
		return true;
	if (strlen(data) > KUBE_PEM_BYTES_MAX)
		return error_set(error, "%s: %s has more than %u bytes", entry->path, data_name, KUBE_PEM_BYTES_MAX);
	pem->data = decode_base64(loading->arena, data, &pem->n);
	return pem->data || error_set(error, "%s: %s is no base64", entry->path, data_name);
}

/* ---- parts ---- */

static const char *const cluster_strings[] = {
    "server", "tls-server-name", "proxy-url", "certificate-authority", "certificate-authority-data", NULL};
static const char *const user_strings[] = {
    "token",      "tokenFile",       "username", "password", "client-certificate", "client-certificate-data",
    "client-key", "client-key-data", "as",       NULL};
static const char *const exec_strings[] = {"apiVersion", "command", "installHint", "interactiveMode", NULL};
static const char *const context_strings[] = {"cluster", "user", "namespace", NULL};

/* The cluster's server, without a slash at its end; NULL when it has none. */
static const char *read_server(struct loading *loading, const struct entry *entry)
{
	const char *server = get(entry, "server");
	if (!server || (!text_has_prefix(server, "https://") && !text_has_prefix(server, "http://")))
		return NULL;
	if (strchr("/?#", *(strstr(server, "://") + 3)))
		return NULL; /* no host, or nothing at all */
	size_t n = strlen(server);
	while (server[n - 1] == '/')
		n--;
	return arena_strndup(loading->arena, server, n);
}

static bool read_cluster(struct loading *loading, const char *name, struct error *error)
{
	struct kube_config *config = loading->config;
	struct entry entry;

	if (!find(loading, "clusters", "cluster", name, &entry, error) || !are_strings(&entry, cluster_strings, error))
		return false;
	config->server = read_server(loading, &entry);
	if (!config->server)
		return error_set(error, "%s: cluster \"%s\" has no server such as https://HOST:PORT", entry.path, name);
	config->tls_server_name = get(&entry, "tls-server-name");
	config->proxy_url = get(&entry, "proxy-url");
	config->is_insecure = is_set(&entry, "insecure-skip-tls-verify");
	if (!read_pem(loading, &entry, "certificate-authority", &config->ca, error))
		return false;
	if (config->is_insecure && (config->ca.data || config->ca.file))
		return error_set(
		    error,
		    "%s: cluster \"%s\" has both a certificate authority and insecure-skip-tls-verify: which is it?",
		    entry.path, name);
	return true;
}

static const char *const *read_words(struct loading *loading, const struct json *list, const char *first,
                                     struct error *error)
{
	size_t n = list && list->type == JSON_ARRAY ? list->array.n : 0, at = 0;
	if (n > KUBE_EXEC_WORDS_MAX) {
		error_set(error, "an exec plugin has more than %d arguments", KUBE_EXEC_WORDS_MAX);
		return NULL;
	}
	const char **words = ARENA_NEW_N(loading->arena, const char *, n + 2);
	if (first)
		words[at++] = first;
	for (size_t i = 0; i < n; i++) {
		const struct json *word = list->array.v[i];
		const char *name = json_get_string(word, "name"), *value = json_get_string(word, "value");
		if (word->type == JSON_STRING) {
			words[at++] = word->string.s;
		} else if (name && value) {
			words[at++] = arena_printf(loading->arena, "%s=%s", name, value);
		} else {
			error_set(error,
			          "an exec plugin has an argument or a variable that is no string: put it in quotes");
			return NULL;
		}
	}
	return words;
}

static bool read_exec(struct loading *loading, const struct entry *user, struct error *error)
{
	struct entry entry = {.value = json_get(user->value, "exec"), .path = user->path};
	struct kube_exec *exec = ARENA_NEW(loading->arena, struct kube_exec);

	if (!entry.value || entry.value->type != JSON_OBJECT)
		return true;
	if (!are_strings(&entry, exec_strings, error))
		return false;
	const char *command = get(&entry, "command"), *version = get(&entry, "apiVersion");
	if (!command)
		return error_set(error, "%s: exec has no command", entry.path);
	if (!text_equal(version, "client.authentication.k8s.io/v1") &&
	    !text_equal(version, "client.authentication.k8s.io/v1beta1"))
		return error_set(
		    error, "%s: exec has apiVersion \"%s\": client.authentication.k8s.io/v1 and v1beta1 are known",
		    entry.path, version ? version : "");
	if (text_equal(get(&entry, "interactiveMode"), "Always"))
		return error_set(
		    error, "%s: exec plugin %s wants a terminal (interactiveMode: Always), which a server has not",
		    entry.path, command);
	exec->api_version = version;
	exec->command = strchr(command, '/') ? resolve_path(loading->arena, &entry, command) : command;
	exec->install_hint = get(&entry, "installHint");
	exec->wants_cluster_info = is_set(&entry, "provideClusterInfo");
	exec->arguments = read_words(loading, json_get(entry.value, "args"), exec->command, error);
	exec->environment = read_words(loading, json_get(entry.value, "env"), NULL, error);
	loading->config->exec = exec;
	return exec->arguments && exec->environment;
}

static bool read_user(struct loading *loading, const char *name, struct error *error)
{
	struct kube_config *config = loading->config;
	struct entry entry;

	if (!find(loading, "users", "user", name, &entry, error) || !are_strings(&entry, user_strings, error))
		return false;
	if (json_get(entry.value, "auth-provider"))
		return error_set(error, "%s: user \"%s\" has an auth-provider, which Kubernetes has given up: use exec",
		                 entry.path, name);
	if (get(&entry, "as"))
		return error_set(error, "%s: user \"%s\" impersonates another (\"as\"), which weftd does not do",
		                 entry.path, name);
	config->token = get(&entry, "token");
	config->token_file = resolve_path(loading->arena, &entry, get(&entry, "tokenFile"));
	config->username = get(&entry, "username");
	config->password = get(&entry, "password");
	if (config->token && strlen(config->token) > KUBE_TOKEN_BYTES_MAX)
		return error_set(error, "%s: the token has more than %u bytes", entry.path, KUBE_TOKEN_BYTES_MAX);
	if (config->token && !kube_token_is_fit(config->token, strlen(config->token)))
		return error_set(error, "%s: the token has a line end or another control character in it", entry.path);
	if (!read_pem(loading, &entry, "client-certificate", &config->cert, error) ||
	    !read_pem(loading, &entry, "client-key", &config->key, error) || !read_exec(loading, &entry, error))
		return false;
	bool has_cert = config->cert.data || config->cert.file, has_key = config->key.data || config->key.file;
	return has_cert == has_key ||
	       error_set(error, "%s: user \"%s\" has a client certificate without its key, or a key without it",
	                 entry.path, name);
}

static bool read_context(struct loading *loading, struct error *error)
{
	const char *name = loading->options->context ? loading->options->context : current_context(loading);
	struct entry entry;

	if (!name)
		return error_set(error, "%s has no current-context: name one with --context", loading->files[0].path);
	if (!find(loading, "contexts", "context", name, &entry, error) || !are_strings(&entry, context_strings, error))
		return false;
	const char *cluster = get(&entry, "cluster"), *user = get(&entry, "user"),
	           *namespace = get(&entry, "namespace");
	if (!cluster)
		return error_set(error, "%s: context \"%s\" names no cluster", entry.path, name);
	loading->config->namespace = namespace ? namespace : "default";
	loading->config->description = arena_printf(loading->arena, "context %s of %s", name, entry.path);
	if (!read_cluster(loading, cluster, error))
		return false;
	/* nothing that proves who we are goes over a connection that anybody can read */
	bool is_secure = text_has_prefix(loading->config->server, "https://");
	return !user || !is_secure || read_user(loading, user, error);
}

/* ---- in a pod ---- */

static bool read_pod(struct loading *loading, struct error *error)
{
	char *const *environment = loading->options->environment;
	const char *host = environment_get(environment, "KUBERNETES_SERVICE_HOST");
	const char *port = environment_get(environment, "KUBERNETES_SERVICE_PORT");
	const char *dir = loading->options->in_cluster_dir ? loading->options->in_cluster_dir : KUBE_IN_CLUSTER_DIR;
	struct kube_config *config = loading->config;
	struct error missing;
	size_t n = 0;

	if (!host || !port)
		return error_set(error,
		                 "weftd does not run in a cluster (KUBERNETES_SERVICE_HOST and _PORT are not set), and "
		                 "neither --kubeconfig nor KUBECONFIG says where the API server is");
	config->server =
	    arena_printf(loading->arena, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
	config->token_file = arena_printf(loading->arena, "%s/token", dir);
	config->ca.file = arena_printf(loading->arena, "%s/ca.crt", dir);
	if (access(config->token_file, R_OK) != 0)
		return error_set_errno(error, errno, "the pod has no service account's token: %s", config->token_file);
	const char *namespace =
	    kube_read_file(loading->arena, arena_printf(loading->arena, "%s/namespace", dir), 256, &n, &missing);
	config->namespace = text_is_empty(namespace) ? "default" : namespace;
	config->description = arena_printf(loading->arena, "the pod's service account in %s", config->namespace);
	return true;
}

/* ---- all of it ---- */

static bool load(struct loading *loading, struct error *error)
{
	const char *listed = environment_get(loading->options->environment, "KUBECONFIG");

	if (!loading->options->kubeconfig && !listed) {
		if (loading->options->context)
			return error_set(error, "a context needs a kubeconfig: --kubeconfig FILE or KUBECONFIG");
		return read_pod(loading, error);
	}
	bool is_explicit = loading->options->kubeconfig != NULL;
	return read_sources(loading, is_explicit ? loading->options->kubeconfig : listed, !is_explicit, error) &&
	       read_context(loading, error);
}

struct kube_config *kube_config_load(const struct kube_config_options *options, struct error *error)
{
	struct arena *arena = arena_new();
	struct loading loading = {.arena = arena, .options = options, .config = ARENA_NEW(arena, struct kube_config)};

	loading.config->arena = arena;
	loading.config->environment = options->environment;
	if (load(&loading, error))
		return loading.config;
	arena_free(arena);
	return NULL;
}

void kube_config_free(struct kube_config *config)
{
	if (config)
		arena_free(config->arena);
}
