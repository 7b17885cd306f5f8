#include "server/identity/serving.h"

#include "base/heap.h"
#include "base/vec.h"
#include "ca/private_key.h"

#include <stdlib.h>

struct serving {
	struct serving_options options;
	struct digest signer, trusted; /* of the present one; zero: none */
	int64_t begin_s, renew_s, end_s;
	struct text chain, key, roots;
};

const char *const *serving_names(struct arena *arena, const char *root_namespace, const char *const *more,
                                 size_t n_more, size_t *n)
{
	static const char *const services[] = {"weftd", "istiod"};
	static const char *const endings[] = {"", ".svc", ".svc.cluster.local"};
	VEC(const char *) names = {0};

	VEC_PUSH(arena, &names, "localhost");
	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
		for (size_t j = 0; j < sizeof endings / sizeof endings[0]; j++)
			VEC_PUSH(arena, &names,
			         arena_printf(arena, "%s.%s%s", services[i], root_namespace, endings[j]));
	for (size_t i = 0; i < n_more; i++)
		VEC_PUSH(arena, &names, more[i]);
	*n = names.n;
	return names.v;
}

struct serving *serving_new(const struct serving_options *options)
{
	struct serving *serving = HEAP_NEW(struct serving);
	serving->options = *options;
	return serving;
}

void serving_free(struct serving *serving)
{
	if (!serving)
		return;
	text_done(&serving->chain);
	text_done(&serving->roots);
	private_key_wipe(&serving->key);
	free(serving);
}

int64_t serving_end_s(const struct serving *serving)
{
	return serving->end_s;
}

static bool issue(struct serving *serving, const struct signer *signer, int64_t now_s, struct error *error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(private_key_freep) EVP_PKEY *key = private_key_generate(PRIVATE_KEY_P256, error);
	struct server_request request = {.key = key, .dns = serving->options.dns, .n_dns = serving->options.n_dns};
	struct issued issued;
	struct refusal refusal;

	if (!key)
		return false;
	issue_draw_serial(request.serial);
	if (!issue_server(arena, &signer->issuer, &request, &issued, &refusal))
		return error_set(error, "%s", refusal.error.message);
	text_done(&serving->chain);
	for (size_t i = 0; i + 1 < issued.n; i++) /* not the roots, which a client has or does not trust */
		text_add(&serving->chain, issued.chain[i]);
	private_key_wipe(&serving->key);
	private_key_print(key, &serving->key);
	text_done(&serving->roots);
	bundle_print(signer->issuer.trusted, &serving->roots);
	serving->begin_s = issued.not_before_s;
	serving->end_s = issued.not_after_s;
	serving->renew_s = now_s + (issued.not_after_s - now_s) / 2;
	return true;
}

/* Also when the clock was set back, to before its begin, it is not. */
static bool is_fresh(const struct serving *serving, int64_t now_s)
{
	return serving->begin_s <= now_s && now_s < serving->renew_s;
}

enum serving_outcome serving_move(struct serving *serving, const struct signer *signer, struct serving_files *files,
                                  struct error *error)
{
	struct digest by = certificate_digest(authority_cert(signer->issuer.authority));
	struct digest trusted = bundle_digest(signer->issuer.trusted);
	int64_t now_s = clock_wall_ns(serving->options.clock) / CLOCK_S;

	if (digest_equal(by, serving->signer) && digest_equal(trusted, serving->trusted) && is_fresh(serving, now_s))
		return SERVING_SAME;
	if (!issue(serving, signer, now_s, error))
		return SERVING_FAILED;
	serving->signer = by;
	serving->trusted = trusted;
	*files = (struct serving_files){serving->chain.s, serving->key.s, serving->roots.s};
	return SERVING_NEW;
}
