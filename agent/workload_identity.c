#include "agent/workload_identity.h"

#include "agent/credential.h"
#include "agent/file_secrets.h"
#include "agent/roots_stream.h"
#include "agent/small_file.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/wake.h"

#include <errno.h>
#include <openssl/rand.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct workload_identity {
	struct workload_identity_options options;
	struct spiffe_id id;
	const struct clock *clock;
	struct sds_server *server;
	struct file_secrets *files;
	struct roots_stream *stream;
	struct credential *credential; /* NULL: none */
	struct bundle *roots;          /* NULL: none */
	bool is_stream_trusted;        /* the stream has brought roots: those that come with certificates are older */
	enum renewal_health health;    /* as Envoy and the log know it */
	struct clock_watch watch;
	struct wake wake;
	_Atomic bool is_stopping;
	bool is_started;
	pthread_t thread;

	pthread_mutex_t lock; /* over the rest */
	struct renewal renewal;
	uint64_t renewals, failures;
	bool is_stream_open;
	size_t n_roots;
};

/* ---- what Envoy gets ---- */

static void put(struct workload_identity *identity, const char *name, struct sds_secret *secret)
{
	sds_put(identity->options.sds, name, secret);
	sds_server_wake(identity->server);
}

/* The bundle moves in. */
static void set_roots(struct workload_identity *identity, struct bundle *roots)
{
	CLEANUP(text_done) struct text pem = {0};
	bool is_new = !identity->roots || !digest_equal(bundle_digest(identity->roots), bundle_digest(roots));
	bundle_free(identity->roots);
	identity->roots = roots;
	if (!is_new)
		return;
	bundle_print(roots, &pem);
	put(identity, SDS_ROOTS, sds_secret_roots(SDS_ROOTS, text_get(&pem)));
	pthread_mutex_lock(&identity->lock);
	identity->n_roots = bundle_size(roots);
	pthread_mutex_unlock(&identity->lock);
	log_info("roots", "%zu trusted now", bundle_size(roots));
}

static struct digest roots_digest(const struct workload_identity *identity)
{
	CLEANUP(text_done) struct text pem = {0};
	bundle_print(identity->roots, &pem);
	return digest_of(text_get(&pem), pem.n);
}

/* ---- what is shown to the control plane ---- */

struct letters {
	struct text roots, token;
};

static void letters_done(struct letters *letters)
{
	text_done(&letters->roots);
	private_key_wipe(&letters->token);
}

/*
 * The roots of the file, which somebody put there for this, and those that the mesh has told us since: the control
 * plane may have moved to a new root before the file is renewed.
 */
static bool letters_read(const struct workload_identity *identity, struct letters *letters, struct error *error)
{
	const struct agent_options *options = identity->options.options;
	struct error token_error;
	bool has_file = small_file_read(options->roots_file, &letters->roots, error);
	if (!has_file && !identity->roots)
		return error_wrap(error, "the roots that vouch for the control plane (--roots)");
	text_add_char(&letters->roots, '\n');
	if (identity->roots)
		bundle_print(identity->roots, &letters->roots);
	if (!small_file_read(options->token_file, &letters->token, &token_error)) {
		if (identity->health == RENEWAL_VALID)
			return true; /* the certificate says who this is */
		*error = token_error;
		return error_wrap(error, "the token by which the first certificate is asked for (--token-file)");
	}
	while (letters->token.n && strchr(" \t\r\n", letters->token.s[letters->token.n - 1]))
		letters->token.s[--letters->token.n] = '\0';
	return true;
}

static const char *letters_token(const struct letters *letters)
{
	return letters->token.n ? letters->token.s : NULL;
}

/* ---- the certificate ---- */

static struct credential *ask(struct workload_identity *identity, struct error *error)
{
	const struct agent_options *options = identity->options.options;
	CLEANUP(letters_done) struct letters letters = {0};
	if (!letters_read(identity, &letters, error))
		return NULL;
	const struct credential_request request = {
	    .target = options->control_plane,
	    .server_name = identity->options.server_name,
	    .roots = letters.roots.s,
	    .token = letters_token(&letters),
	    .cluster = options->cluster_id,
	    .present = identity->health == RENEWAL_VALID ? identity->credential : NULL,
	    .id = &identity->id,
	    .ttl_s = options->ttl_s,
	    .key_type = (enum private_key_type)options->key_type,
	    .clock = identity->clock,
	};
	return credential_get(&request, error);
}

static void on_failure(struct workload_identity *identity, const struct error *error)
{
	CLEANUP(text_done) struct text words = {0};
	pthread_mutex_lock(&identity->lock);
	identity->failures++;
	int64_t pause_ms = renewal_failed(&identity->renewal, identity->clock);
	renewal_describe(&identity->renewal, identity->clock, &words);
	pthread_mutex_unlock(&identity->lock);
	log_warn("identity", "%s; %s; trying again in %lld.%llds", error->message, words.s, (long long)pause_ms / 1000,
	         (long long)pause_ms % 1000 / 100);
}

static void on_success(struct workload_identity *identity, struct credential *credential)
{
	CLEANUP(text_done) struct text words = {0};
	char id[SPIFFE_ID_TEXT];
	int64_t begin_s, end_s;
	struct error error;
	issued_chain_times(credential->chain, &begin_s, &end_s);
	credential_free(identity->credential);
	identity->credential = credential;
	identity->health = RENEWAL_VALID;
	pthread_mutex_lock(&identity->lock);
	identity->renewals++;
	renewal_succeeded(&identity->renewal, identity->clock, begin_s, end_s);
	renewal_describe(&identity->renewal, identity->clock, &words);
	pthread_mutex_unlock(&identity->lock);
	if (!identity->is_stream_trusted) {
		struct bundle *roots =
		    bundle_union(issued_chain_roots(credential->chain), issued_chain_roots(credential->chain), &error);
		if (roots)
			set_roots(identity, roots);
	}
	put(identity, SDS_CERTIFICATE,
	    sds_secret_certificate(SDS_CERTIFICATE, credential->chain_pem.s, credential->key_pem.s));
	spiffe_id_print(&identity->id, id);
	log_info("identity", "a certificate for %s; %s", id, words.s);
}

static void say_step(int64_t step_s)
{
	CLEANUP(text_done) struct text span = {0};
	if (step_s == 0)
		return;
	renewal_print_span(step_s < 0 ? -step_s : step_s, &span);
	log_warn("identity", "this machine's clock was set %s by %s", step_s < 0 ? "back" : "ahead", span.s);
}

/* What time does to the certificate. */
static void look_at_clock(struct workload_identity *identity)
{
	CLEANUP(text_done) struct text words = {0};
	say_step(clock_watch_step_s(&identity->watch, identity->clock));
	enum renewal_health health = renewal_health(&identity->renewal, identity->clock);
	if (health == identity->health)
		return;
	identity->health = health;
	renewal_describe(&identity->renewal, identity->clock, &words);
	if (health == RENEWAL_VALID) {
		put(identity, SDS_CERTIFICATE,
		    sds_secret_certificate(SDS_CERTIFICATE, identity->credential->chain_pem.s,
		                           identity->credential->key_pem.s));
		log_info("identity", "%s again", words.s);
	} else {
		put(identity, SDS_CERTIFICATE, NULL);
		log_error("identity",
		          "%s: no connection can be made with it, so this proxy is not ready; asking for another",
		          words.s);
	}
}

static void renew(struct workload_identity *identity)
{
	struct error error;
	if (!renewal_is_due(&identity->renewal, identity->clock))
		return;
	struct credential *credential = ask(identity, &error);
	if (credential)
		on_success(identity, credential);
	else
		on_failure(identity, &error);
}

/* ---- the roots ---- */

static void open_stream(struct workload_identity *identity)
{
	const struct agent_options *options = identity->options.options;
	CLEANUP(letters_done) struct letters letters = {0};
	struct error error;
	if (!letters_read(identity, &letters, &error))
		return; /* the certificate's attempt says it */
	const struct roots_stream_peer peer = {
	    .target = options->control_plane,
	    .server_name = identity->options.server_name,
	    .roots = letters.roots.s,
	    .chain = identity->credential->chain_pem.s,
	    .key = identity->credential->key_pem.s,
	    .token = letters_token(&letters),
	    .cluster = options->cluster_id,
	};
	roots_stream_open(identity->stream, &peer);
}

/* A certificate that no longer leads to a trusted root convinces nobody, whatever its time. */
static void doubt_certificate(struct workload_identity *identity)
{
	if (identity->health != RENEWAL_VALID ||
	    issued_chain_leads_to(identity->credential->chain, identity->roots, identity->clock))
		return;
	pthread_mutex_lock(&identity->lock);
	renewal_hasten(&identity->renewal);
	pthread_mutex_unlock(&identity->lock);
	log_warn("identity", "the certificate leads to none of the roots that the mesh trusts now; asking for another");
}

static void follow_roots(struct workload_identity *identity)
{
	roots_stream_work(identity->stream);
	if (identity->health == RENEWAL_VALID && roots_stream_is_due(identity->stream))
		open_stream(identity);
	struct bundle *news = roots_stream_take(identity->stream);
	if (news) {
		identity->is_stream_trusted = true;
		set_roots(identity, news);
		doubt_certificate(identity);
	}
	if (identity->roots && sds_is_acknowledged(identity->options.sds, SDS_ROOTS, roots_digest(identity)))
		roots_stream_acknowledge(identity->stream);
	bool is_open = roots_stream_is_open(identity->stream);
	if (!is_open)
		identity->is_stream_trusted = false;
	pthread_mutex_lock(&identity->lock);
	identity->is_stream_open = is_open;
	pthread_mutex_unlock(&identity->lock);
}

/* ---- the thread ---- */

static void wait_for_work(struct workload_identity *identity)
{
	struct pollfd fd = {.fd = wake_fd(&identity->wake), .events = POLLIN};
	int64_t wait_ms = renewal_wait_ms(&identity->renewal, identity->clock);
	int64_t stream_ms = roots_stream_wait_ms(identity->stream);
	if (identity->health == RENEWAL_VALID && stream_ms < wait_ms)
		wait_ms = stream_ms;
	if (poll(&fd, 1, (int)wait_ms) > 0)
		wake_quieten(&identity->wake);
}

static void *run(void *argument)
{
	struct workload_identity *identity = argument;
	while (!atomic_load(&identity->is_stopping)) {
		look_at_clock(identity);
		renew(identity);
		follow_roots(identity);
		if (file_secrets_work(identity->files))
			sds_server_wake(identity->server);
		wait_for_work(identity);
	}
	return NULL;
}

/* ---- life ---- */

void workload_identity_wake(void *context)
{
	const struct workload_identity *identity = context;
	wake_up(&identity->wake);
}

static uint64_t draw_seed(void)
{
	uint64_t seed = 0;
	return RAND_bytes((unsigned char *)&seed, sizeof seed) == 1 ? seed : (uint64_t)clock_now_ns(clock_system());
}

struct workload_identity *workload_identity_new(const struct workload_identity_options *options)
{
	struct workload_identity *identity = HEAP_NEW(struct workload_identity);
	struct error error;
	identity->options = *options;
	identity->clock = clock_system();
	wake_init(&identity->wake);
	pthread_mutex_init(&identity->lock, NULL);
	renewal_init(&identity->renewal, draw_seed());
	bool is_good = spiffe_id_make(options->options->trust_domain, options->options->pod_namespace,
	                              options->options->service_account, &identity->id, &error);
	if (!is_good)
		abort(); /* the options saw to that */
	return identity;
}

void workload_identity_start(struct workload_identity *identity, struct sds_server *server)
{
	identity->server = server;
	identity->files = file_secrets_new(identity->options.sds);
	identity->stream = roots_stream_new(&(struct roots_stream_options){
	    .node = identity->options.node,
	    .clock = identity->clock,
	    .seed = draw_seed(),
	    .on_news = workload_identity_wake,
	    .context = identity,
	});
	if (pthread_create(&identity->thread, NULL, run, identity))
		abort();
	identity->is_started = true;
}

void workload_identity_stop(struct workload_identity *identity)
{
	atomic_store(&identity->is_stopping, true);
	wake_up(&identity->wake);
	if (identity->is_started)
		pthread_join(identity->thread, NULL);
	identity->is_started = false;
}

void workload_identity_free(struct workload_identity *identity)
{
	if (!identity)
		return;
	workload_identity_stop(identity);
	roots_stream_free(identity->stream);
	file_secrets_free(identity->files);
	credential_free(identity->credential);
	bundle_free(identity->roots);
	pthread_mutex_destroy(&identity->lock);
	wake_done(&identity->wake);
	free(identity);
}

void workload_identity_status(struct workload_identity *identity, struct workload_identity_status *status)
{
	CLEANUP(text_done) struct text words = {0};
	pthread_mutex_lock(&identity->lock);
	*status = (struct workload_identity_status){
	    .health = renewal_health(&identity->renewal, identity->clock),
	    .begin_s = identity->renewal.begin_s,
	    .end_s = identity->renewal.end_s,
	    .renewals = identity->renewals,
	    .failures = identity->failures,
	    .is_stream_open = identity->is_stream_open,
	    .roots = identity->n_roots,
	};
	renewal_describe(&identity->renewal, identity->clock, &words);
	pthread_mutex_unlock(&identity->lock);
	snprintf(status->words, sizeof status->words, "%s", words.s);
}
