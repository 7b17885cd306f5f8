#pragma once
/*
 * The roots that the mesh trusts, as a value: sorted by the digests of their certificates and each there once, so that
 * two bundles with the same roots print the same bytes, from whatever files they came in whatever order. Never changes.
 *
 *     struct bundle *old = bundle_read(&file, &error), *both = bundle_union(old, new, &error);
 *
 * While a root is replaced the union is what everybody trusts: first with the old root signing, then with the new one.
 */
#include "ca/certificate.h"

#define BUNDLE_ROOTS_MAX 64 /* each proxy holds them all */

struct bundle;

/* One certificate or more, each an authority's. Times are not looked at: a root that is over harms nobody. */
struct bundle *bundle_read(const struct pem_file *file, struct error *error);
struct bundle *bundle_of(X509 *root, struct error *error); /* takes a reference */
/* NULL with an error when that is too many. */
struct bundle *bundle_union(const struct bundle *a, const struct bundle *b, struct error *error);
void bundle_free(struct bundle *bundle); /* NULL is fine */
static inline void bundle_freep(struct bundle **bundle)
{
	bundle_free(*bundle);
}

size_t bundle_size(const struct bundle *bundle);
X509 *bundle_get(const struct bundle *bundle, size_t i); /* borrowed */
bool bundle_has(const struct bundle *bundle, const X509 *root);
/* Whether each root of `part` is in `whole`. */
bool bundle_includes(const struct bundle *whole, const struct bundle *part);
struct digest bundle_digest(const struct bundle *bundle); /* equal when the roots are */
void bundle_print(const struct bundle *bundle, struct text *out);
