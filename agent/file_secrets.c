#include "agent/file_secrets.h"

#include "agent/small_file.h"
#include "base/heap.h"
#include "base/log.h"
#include "ca/bundle.h"
#include "ca/private_key.h"

#include <stdlib.h>
#include <string.h>

#define CERT_PREFIX "file-cert:"
#define ROOT_PREFIX "file-root:"
#define ROOT_SYSTEM ROOT_PREFIX "system"
#define SYSTEM_ROOTS "/etc/ssl/certs/ca-certificates.crt"

/* What was put under a name, or found wrong with it. */
struct known {
	char *name;
	struct digest digest; /* zero: it was wrong */
	bool is_seen;
};

struct file_secrets {
	struct sds *sds;
	struct known *v;
	size_t n, cap;
};

struct file_secrets *file_secrets_new(struct sds *sds)
{
	struct file_secrets *files = HEAP_NEW(struct file_secrets);
	files->sds = sds;
	return files;
}

void file_secrets_free(struct file_secrets *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->n; i++)
		free(files->v[i].name);
	free(files->v);
	free(files);
}

static struct known *known_need(struct file_secrets *files, const char *name, bool *is_new)
{
	*is_new = false;
	for (size_t i = 0; i < files->n; i++)
		if (!strcmp(files->v[i].name, name))
			return &files->v[i];
	files->v = heap_grow(files->v, &files->cap, files->n + 1, sizeof *files->v);
	files->v[files->n] = (struct known){.name = heap_strdup(name)};
	*is_new = true;
	return &files->v[files->n++];
}

static struct sds_secret *read_cert(const char *name, struct error *error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text chain = {0};
	CLEANUP(private_key_wipe) struct text key = {0};
	char *path = arena_strdup(arena, name + strlen(CERT_PREFIX)), *key_path = strchr(path, '~');
	if (!key_path) {
		error_set(error, "write " CERT_PREFIX "CERTIFICATE~KEY");
		return NULL;
	}
	*key_path++ = '\0';
	if (!small_file_read(path, &chain, error) || !small_file_read(key_path, &key, error))
		return NULL;
	CLEANUP(certificates_freep)
	STACK_OF(X509) *list = certificates_read(&(struct pem_file){path, text_get(&chain), chain.n}, error);
	CLEANUP(private_key_freep)
	EVP_PKEY *parsed = list ? private_key_read(&(struct pem_file){key_path, text_get(&key), key.n}, error) : NULL;
	if (!parsed)
		return NULL;
	if (!private_key_belongs(parsed, sk_X509_value(list, 0))) {
		error_set(error, "%s is not the key of %s", key_path, path);
		return NULL;
	}
	return sds_secret_certificate(name, chain.s, key.s);
}

static struct sds_secret *read_root(const char *name, struct error *error)
{
	CLEANUP(text_done) struct text roots = {0};
	const char *path = strcmp(name, ROOT_SYSTEM) == 0 ? SYSTEM_ROOTS : name + strlen(ROOT_PREFIX);
	if (!small_file_read(path, &roots, error))
		return NULL;
	if (!roots.n || !strstr(roots.s, "-----BEGIN CERTIFICATE-----")) {
		error_set(error, "%s: there is no certificate in it", path);
		return NULL;
	}
	return sds_secret_roots(name, roots.s);
}

/* Only what changed is put; what is wrong is said once. */
static bool look(struct file_secrets *files, const char *name, bool is_cert)
{
	struct error error;
	bool is_new;
	struct known *known = known_need(files, name, &is_new);
	struct sds_secret *secret = is_cert ? read_cert(name, &error) : read_root(name, &error);
	known->is_seen = true;
	if (!secret) {
		if (is_new || !digest_is_zero(known->digest))
			log_warn("files", "%.300s: %s; Envoy keeps what it has, looking again", name, error.message);
		known->digest = (struct digest){0};
		return false;
	}
	if (digest_equal(known->digest, secret->digest)) {
		sds_secret_unref(secret);
		return false;
	}
	known->digest = secret->digest;
	sds_put(files->sds, name, secret);
	log_info("files", "%.300s was read", name);
	return true;
}

/* What nobody subscribes to any more is forgotten. */
static void forget(struct file_secrets *files)
{
	for (size_t i = files->n; i > 0; i--) {
		struct known *known = &files->v[i - 1];
		if (!known->is_seen) {
			free(known->name);
			*known = files->v[--files->n];
		}
	}
}

bool file_secrets_work(struct file_secrets *files)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct sds_names certs = sds_subscribed(files->sds, CERT_PREFIX, arena);
	const struct sds_names roots = sds_subscribed(files->sds, ROOT_PREFIX, arena);
	bool is_any_new = false;
	for (size_t i = 0; i < files->n; i++)
		files->v[i].is_seen = false;
	for (size_t i = 0; i < certs.n; i++)
		is_any_new |= look(files, certs.v[i], true);
	for (size_t i = 0; i < roots.n; i++)
		is_any_new |= look(files, roots.v[i], false);
	forget(files);
	return is_any_new;
}
