/*
 * Kubeconfig files ("k" and the file) and what exec plugins print ("e" and the output): what is taken can be used as it
 * is, what is refused is refused in words.
 */
#include "server/source/kube/kube_config.h"

#include "base/text.h"
#include "server/source/kube/kube_exec.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_error(const struct error *error)
{
	assert(error->message[0] != '\0' && text_is_utf8(error->message, strlen(error->message)));
}

static void check_pem(const struct kube_pem *pem)
{
	assert(!pem->data || !pem->file);
	assert(pem->n <= KUBE_PEM_BYTES_MAX);
}

static void check_exec(const struct kube_exec *exec)
{
	size_t n = 0;
	assert(!text_is_empty(exec->command) && text_equal(exec->arguments[0], exec->command));
	while (exec->arguments[n])
		n++;
	assert(n <= KUBE_EXEC_WORDS_MAX + 1);
	for (n = 0; exec->environment[n]; n++)
		assert(strchr(exec->environment[n], '=') != NULL);
	assert(n <= KUBE_EXEC_WORDS_MAX);
}

static void check_config(const struct kube_config *config)
{
	const char *host = strstr(config->server, "://");
	assert(text_has_prefix(config->server, "http") && host && host[3] != '\0' && host[3] != '/');
	assert(!text_has_suffix(config->server, "/"));
	assert(!text_is_empty(config->namespace) && !text_is_empty(config->description));
	check_pem(&config->ca);
	check_pem(&config->cert);
	check_pem(&config->key);
	assert(!config->is_insecure || (!config->ca.data && !config->ca.file));
	assert((config->cert.data || config->cert.file) == (config->key.data || config->key.file));
	assert(!config->token || kube_token_is_fit(config->token, strlen(config->token)));
	if (config->exec)
		check_exec(config->exec);
}

static void try_config(const uint8_t *data, size_t n)
{
	static int fd = -1;
	char path[64];
	struct error error;

	if (fd < 0)
		fd = memfd_create("kubeconfig", MFD_CLOEXEC);
	assert(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, n, 0) == (ssize_t)n);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	struct kube_config *config = kube_config_load(&(struct kube_config_options){.kubeconfig = path}, &error);
	if (config)
		check_config(config);
	else
		check_error(&error);
	kube_config_free(config);
}

static void try_exec(const uint8_t *data, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct kube_exec_credential credential;
	struct error error;

	if (!kube_exec_parse(arena, (const char *)data, n, &credential, &error)) {
		check_error(&error);
		return;
	}
	assert(credential.token || credential.cert);
	assert(!credential.cert == !credential.key);
	assert(!credential.token || kube_token_is_fit(credential.token, strlen(credential.token)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n > 0 && data[0] == 'k')
		try_config(data + 1, n - 1);
	else if (n > 0)
		try_exec(data + 1, n - 1);
	return 0;
}
