#include "rpc/grpc_handshake.h"

#include "base/clock.h"
#include "base/log.h"

#include <assert.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static const char *const labels[HANDSHAKE_FAILURES] = {
    [HANDSHAKE_CERTIFICATE] = "certificate",
    [HANDSHAKE_PROTOCOL] = "protocol",
};

static _Atomic uint64_t counts[HANDSHAKE_FAILURES];
static pthread_mutex_t said_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct log_gap said;

const char *grpc_handshake_label(enum handshake_failure failure)
{
	assert(failure < HANDSHAKE_FAILURES);
	return labels[failure];
}

static void say(const char *why)
{
	uint64_t silent;

	pthread_mutex_lock(&said_mutex);
	bool may_say = log_gap_is_over(&said, clock_now_ns(clock_system()), &silent);
	pthread_mutex_unlock(&said_mutex);
	if (may_say)
		log_warn("grpc",
		         "a handshake is refused: the client's certificate does not count now: %s; %llu more since the "
		         "last line",
		         why, (unsigned long long)silent);
}

/* gRPC keeps OpenSSL's verdict to itself, but each connection still has it when OpenSSL lets go of it. On any thread.
 */
static void on_free(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long argument, void *pointer)
{
	const SSL *ssl = parent;

	(void)data, (void)all, (void)index, (void)argument, (void)pointer;
	long verdict = SSL_is_server(ssl) ? SSL_get_verify_result(ssl) : X509_V_OK;
	if (verdict == X509_V_OK)
		return;
	atomic_fetch_add(&counts[HANDSHAKE_CERTIFICATE], 1);
	say(X509_verify_cert_error_string(verdict));
}

static void watch(void)
{
	SSL_get_ex_new_index(0, NULL, NULL, NULL, on_free);
}

void grpc_handshake_watch(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, watch);
}

void grpc_handshake_note(const char *line)
{
	if (strstr(line, "Handshake failed") && !strstr(line, "certificate verify failed"))
		atomic_fetch_add(&counts[HANDSHAKE_PROTOCOL], 1);
}

void grpc_handshake_failures(uint64_t failures[HANDSHAKE_FAILURES])
{
	for (size_t i = 0; i < HANDSHAKE_FAILURES; i++)
		failures[i] = atomic_load(&counts[i]);
}
