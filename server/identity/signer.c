#include "server/identity/signer.h"

#include "base/heap.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct signer_cell {
	pthread_mutex_t mutex;
	struct signer *signer;
};

struct signer *signer_new(struct authority *authority, struct bundle *trusted, struct template_lifetime lifetime,
                          const char *trust_domain, const struct clock *clock)
{
	struct signer *signer = HEAP_NEW(struct signer);
	size_t n = strlen(trust_domain);

	assert(n < sizeof signer->trust_domain);
	memcpy(signer->trust_domain, trust_domain, n + 1);
	signer->issuer = (struct issuer){authority, trusted, lifetime, clock};
	atomic_init(&signer->refs, 1);
	return signer;
}

struct signer *signer_ref(struct signer *signer)
{
	atomic_fetch_add_explicit(&signer->refs, 1, memory_order_relaxed);
	return signer;
}

void signer_unref(struct signer *signer)
{
	union { /* they are the signer's own, const for its users only */
		const struct authority *constant;
		struct authority *plain;
	} authority;
	union {
		const struct bundle *constant;
		struct bundle *plain;
	} trusted;

	if (!signer || atomic_fetch_sub_explicit(&signer->refs, 1, memory_order_acq_rel) > 1)
		return;
	authority.constant = signer->issuer.authority;
	trusted.constant = signer->issuer.trusted;
	authority_free(authority.plain);
	bundle_free(trusted.plain);
	free(signer);
}

struct signer_cell *signer_cell_new(void)
{
	struct signer_cell *cell = HEAP_NEW(struct signer_cell);

	pthread_mutex_init(&cell->mutex, NULL);
	return cell;
}

void signer_cell_free(struct signer_cell *cell)
{
	if (!cell)
		return;
	signer_unref(cell->signer);
	pthread_mutex_destroy(&cell->mutex);
	free(cell);
}

struct signer *signer_cell_get(struct signer_cell *cell)
{
	pthread_mutex_lock(&cell->mutex);
	struct signer *signer = cell->signer ? signer_ref(cell->signer) : NULL;
	pthread_mutex_unlock(&cell->mutex);
	return signer;
}

void signer_cell_put(struct signer_cell *cell, struct signer *signer)
{
	pthread_mutex_lock(&cell->mutex);
	struct signer *former = cell->signer;
	cell->signer = signer;
	pthread_mutex_unlock(&cell->mutex);
	signer_unref(former);
}
