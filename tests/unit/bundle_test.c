#include "ca/bundle.h"

#include "tests/unit/authorities.h"

#define ROOTS 3

struct roots {
	EVP_PKEY *key;
	X509 *v[ROOTS];
};

static void roots_init(struct roots *roots)
{
	roots->key = certs_key("P-256");
	for (int i = 0; i < ROOTS; i++)
		roots->v[i] = certs_certificate(&(struct cert_wish){.name = "root", .key = roots->key});
}

static void roots_done(struct roots *roots)
{
	for (int i = 0; i < ROOTS; i++)
		X509_free(roots->v[i]);
	EVP_PKEY_free(roots->key);
}

static struct bundle *read_text(const char *s, struct error *error)
{
	*error = (struct error){""};
	struct bundle *bundle = bundle_read(&(struct pem_file){"roots.pem", s, strlen(s)}, error);
	ck_assert_int_eq(ERR_peek_error(), 0);
	return bundle;
}

/* Indexes into roots as digits. */
static struct bundle *bundle_from(const struct roots *roots, const char *indexes)
{
	CLEANUP(text_done) struct text text = {0};
	struct error error;
	for (const char *c = indexes; *c; c++) {
		text_printf(&text, "\n# root %c\r\n", *c);
		certificate_print(roots->v[*c - '0'], &text);
	}
	struct bundle *bundle = read_text(text.s, &error);
	ck_assert_msg(bundle != NULL, "%s", error.message);
	return bundle;
}

START_TEST(order_comments_and_repetition_do_not_matter)
{
	CLEANUP(roots_done) struct roots roots;
	roots_init(&roots);
	static const char *const orders[] = {"012", "210", "102", "0120", "2221100"};
	CLEANUP(bundle_freep) struct bundle *first = bundle_from(&roots, orders[0]);
	CLEANUP(text_done) struct text want = {0};
	bundle_print(first, &want);
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		CLEANUP(bundle_freep) struct bundle *bundle = bundle_from(&roots, orders[i]);
		CLEANUP(text_done) struct text got = {0};
		bundle_print(bundle, &got);
		ck_assert_uint_eq(bundle_size(bundle), ROOTS);
		ck_assert_str_eq(got.s, want.s);
		ck_assert(digest_equal(bundle_digest(bundle), bundle_digest(first)));
		struct error error;
		CLEANUP(bundle_freep) struct bundle *again = read_text(got.s, &error);
		ck_assert(again && digest_equal(bundle_digest(again), bundle_digest(first)));
	}
}
END_TEST

START_TEST(a_union_has_the_roots_of_both)
{
	CLEANUP(roots_done) struct roots roots;
	roots_init(&roots);
	CLEANUP(bundle_freep) struct bundle *old = bundle_from(&roots, "01"), *new = bundle_from(&roots, "12");
	struct error error;
	CLEANUP(bundle_freep) struct bundle *both = bundle_union(old, new, &error);
	CLEANUP(bundle_freep) struct bundle *back = bundle_union(new, old, &error);
	ck_assert(both && back);
	ck_assert_uint_eq(bundle_size(both), 3);
	ck_assert(digest_equal(bundle_digest(both), bundle_digest(back)));
	ck_assert(!digest_equal(bundle_digest(both), bundle_digest(old)));
	ck_assert(bundle_includes(both, old) && bundle_includes(both, new) && bundle_includes(old, old));
	ck_assert(!bundle_includes(old, new) && !bundle_includes(old, both));
	for (int i = 0; i < ROOTS; i++)
		ck_assert(bundle_has(both, roots.v[i]));
	ck_assert(!bundle_has(old, roots.v[2]));
}
END_TEST

START_TEST(a_root_by_itself_is_a_bundle)
{
	CLEANUP(roots_done) struct roots roots;
	roots_init(&roots);
	struct error error;
	CLEANUP(bundle_freep) struct bundle *bundle = bundle_of(roots.v[0], &error);
	ck_assert(bundle && bundle_has(bundle, roots.v[0]) && bundle_get(bundle, 0) == roots.v[0]);
}
END_TEST

START_TEST(what_is_no_root_is_refused)
{
	CLEANUP(roots_done) struct roots roots;
	roots_init(&roots);
	static const struct {
		struct cert_wish wish;
		const char *want;
	} rows[] = {
	    {{.constraints = "CA:FALSE"}, "roots.pem: certificate 1: it is not for an authority"},
	    {{.use = "digitalSignature"}, "roots.pem: certificate 1: it is not for signing certificates"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cert_wish wish = rows[i].wish;
		wish.name = "x";
		wish.key = roots.key;
		CLEANUP(certificate_freep) X509 *certificate = certs_certificate(&wish);
		CLEANUP(text_done) struct text text = {0};
		struct error error;
		certificate_print(certificate, &text);
		ck_assert(!read_text(text.s, &error));
		ck_assert_msg(strstr(error.message, rows[i].want) != NULL, "%s", error.message);
		ck_assert(!bundle_of(certificate, &error));
	}
	struct error error;
	ck_assert(!read_text("", &error) && strstr(error.message, "roots.pem: there is no certificate in it"));
}
END_TEST

/* Wherever the file ends: two roots, one before the second begins, or an error. */
START_TEST(a_file_that_is_cut_loses_no_root_in_silence)
{
	CLEANUP(roots_done) struct roots roots;
	roots_init(&roots);
	CLEANUP(bundle_freep) struct bundle *two = bundle_from(&roots, "01");
	CLEANUP(text_done) struct text text = {0};
	bundle_print(two, &text);
	size_t second = (size_t)(strstr(text.s + 1, "-----BEGIN") - text.s), n = text.n;
	for (text.s[--n] = '\0'; n > second; text.s[--n] = '\0') { /* the last line needs no newline */
		struct error error;
		CLEANUP(bundle_freep) struct bundle *bundle = read_text(text.s, &error);
		bool is_whole = n == text.n - 1;
		ck_assert_msg(is_whole == (bundle != NULL), "%zu bytes: %s", n, error.message);
		if (!is_whole)
			ck_assert_msg(strstr(error.message, "it ends in the middle of a PEM block") != NULL, "%s",
			              error.message);
	}
	struct error error;
	CLEANUP(bundle_freep) struct bundle *one = read_text(text.s, &error);
	ck_assert(one && bundle_size(one) == 1);
}
END_TEST

/* One root too many is an error, not a root that is left out in silence. */
START_TEST(a_union_has_a_cap)
{
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key("P-256");
	struct error error;
	struct bundle *all = NULL;
	for (int i = 0; i <= BUNDLE_ROOTS_MAX; i++) {
		CLEANUP(certificate_freep)
		X509 *root = certs_certificate(&(struct cert_wish){.name = "root", .key = key});
		CLEANUP(bundle_freep) struct bundle *one = bundle_of(root, &error);
		struct bundle *more = bundle_union(all ? all : one, one, &error);
		ck_assert_msg((more != NULL) == (i < BUNDLE_ROOTS_MAX), "%d", i);
		if (more) {
			bundle_free(all);
			all = more;
		}
	}
	ck_assert_str_eq(error.message, "more than 64 different roots");
	bundle_free(all);
}
END_TEST

UNIT_MAIN("bundle", order_comments_and_repetition_do_not_matter, a_union_has_the_roots_of_both,
          a_root_by_itself_is_a_bundle, what_is_no_root_is_refused, a_file_that_is_cut_loses_no_root_in_silence,
          a_union_has_a_cap)
