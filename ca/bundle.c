#include "ca/bundle.h"

#include "base/heap.h"
#include "ca/crypto_error.h"

#include <stdlib.h>

struct root {
	X509 *certificate; /* counted */
	struct digest digest;
};

struct bundle {
	struct root *v; /* sorted, no two alike */
	size_t n, cap;
	struct text pem; /* of all: it goes out with every certificate */
};

void bundle_free(struct bundle *bundle)
{
	if (!bundle)
		return;
	for (size_t i = 0; i < bundle->n; i++)
		X509_free(bundle->v[i].certificate);
	free(bundle->v);
	text_done(&bundle->pem);
	free(bundle);
}

static int compare_digests(const struct digest *a, const struct digest *b)
{
	for (int i = 0; i < 2; i++)
		if (a->w[i] != b->w[i])
			return a->w[i] < b->w[i] ? -1 : 1;
	return 0;
}

/* Where it stands, or would stand. */
static size_t place_of(const struct bundle *bundle, const struct digest *digest)
{
	size_t i = 0;
	while (i < bundle->n && compare_digests(&bundle->v[i].digest, digest) < 0)
		i++;
	return i;
}

static bool is_at(const struct bundle *bundle, size_t i, const struct digest *digest)
{
	return i < bundle->n && digest_equal(bundle->v[i].digest, *digest);
}

static bool add(struct bundle *bundle, X509 *certificate, struct error *error)
{
	struct digest digest = certificate_digest(certificate);
	size_t at = place_of(bundle, &digest);
	if (is_at(bundle, at, &digest))
		return true;
	if (bundle->n == BUNDLE_ROOTS_MAX)
		return error_set(error, "more than %d different roots", BUNDLE_ROOTS_MAX);
	bundle->v = heap_grow(bundle->v, &bundle->cap, bundle->n + 1, sizeof *bundle->v);
	for (size_t i = bundle->n; i > at; i--)
		bundle->v[i] = bundle->v[i - 1];
	X509_up_ref(certificate);
	bundle->v[at] = (struct root){certificate, digest};
	bundle->n++;
	return true;
}

static struct bundle *keep_if(bool is_good, struct bundle *bundle)
{
	for (size_t i = 0; is_good && i < bundle->n; i++)
		certificate_print(bundle->v[i].certificate, &bundle->pem);
	if (is_good)
		return bundle;
	bundle_free(bundle);
	return NULL;
}

static bool add_list(struct bundle *bundle, const STACK_OF(X509) * list, const char *name, struct error *error)
{
	for (int i = 0; i < sk_X509_num(list); i++) {
		X509 *certificate = sk_X509_value(list, i);
		if (!certificate_check_signs(certificate, error))
			return error_wrap(error, "%s: certificate %d", name, i + 1);
		if (!add(bundle, certificate, error))
			return error_wrap(error, "%s", name);
	}
	return true;
}

struct bundle *bundle_read(const struct pem_file *file, struct error *error)
{
	CLEANUP(certificates_freep) STACK_OF(X509) *list = certificates_read(file, error);
	if (!list)
		return NULL;
	struct bundle *bundle = HEAP_NEW(struct bundle);
	return keep_if(add_list(bundle, list, file->name, error), bundle);
}

struct bundle *bundle_of(X509 *root, struct error *error)
{
	struct bundle *bundle = HEAP_NEW(struct bundle);
	return keep_if(certificate_check_signs(root, error) && add(bundle, root, error), bundle);
}

struct bundle *bundle_union(const struct bundle *a, const struct bundle *b, struct error *error)
{
	struct bundle *bundle = HEAP_NEW(struct bundle);
	bool is_good = true;
	for (size_t i = 0; i < a->n && is_good; i++)
		is_good = add(bundle, a->v[i].certificate, error);
	for (size_t i = 0; i < b->n && is_good; i++)
		is_good = add(bundle, b->v[i].certificate, error);
	return keep_if(is_good, bundle);
}

size_t bundle_size(const struct bundle *bundle)
{
	return bundle->n;
}

X509 *bundle_get(const struct bundle *bundle, size_t i)
{
	return bundle->v[i].certificate;
}

bool bundle_has(const struct bundle *bundle, const X509 *root)
{
	struct digest digest = certificate_digest(root);
	return is_at(bundle, place_of(bundle, &digest), &digest);
}

bool bundle_includes(const struct bundle *whole, const struct bundle *part)
{
	for (size_t i = 0; i < part->n; i++)
		if (!is_at(whole, place_of(whole, &part->v[i].digest), &part->v[i].digest))
			return false;
	return true;
}

struct digest bundle_digest(const struct bundle *bundle)
{
	struct digest_state state;
	digest_init(&state);
	for (size_t i = 0; i < bundle->n; i++)
		digest_add_digest(&state, bundle->v[i].digest);
	return digest_final(&state);
}

void bundle_print(const struct bundle *bundle, struct text *out)
{
	text_add_n(out, bundle->pem.s, bundle->pem.n);
}
