#include "server/identity/kept_roots.h"

#include "tests/unit/authorities.h"

#include <string.h>

static struct bundle *bundle_with(X509 *root)
{
	struct error error;
	struct bundle *bundle = bundle_of(root, &error);
	ck_assert_msg(bundle != NULL, "%s", error.message);
	return bundle;
}

START_TEST(what_is_printed_is_read)
{
	CLEANUP(hierarchy_done) struct hierarchy h, other;
	hierarchy_init(&h);
	hierarchy_init(&other);
	for (int has_former = 0; has_former < 2; has_former++) {
		CLEANUP(kept_roots_done) struct kept_roots kept = {0}, back = {0};
		CLEANUP(text_done) struct text out = {0}, again = {0};
		struct error error;
		kept.roots = bundle_with(h.root);
		kept.former = has_former ? bundle_with(other.root) : NULL;
		kept.since_s = has_former ? NOW_S : 0;
		if (!has_former)
			digest_hex(certificate_digest(other.root), kept.skip_unaware_for);
		kept_roots_print(&kept, &out);
		ck_assert_msg(kept_roots_read(&back, out.s, out.n, &error), "%s", error.message);
		kept_roots_print(&back, &again);
		ck_assert_str_eq(out.s, again.s);
		ck_assert_int_eq(back.former != NULL, has_former);
		ck_assert_int_eq(back.since_s, kept.since_s);
		ck_assert_str_eq(back.skip_unaware_for, kept.skip_unaware_for);
	}
}
END_TEST

START_TEST(what_is_broken_is_refused)
{
	static const struct {
		const char *name, *s, *want;
	} rows[] = {
	    {"nothing", "", "line 1"},
	    {"no JSON", "{", "line 1"},
	    {"no object", "[]", "no \"roots\""},
	    {"no roots", "{\"since\":0}", "no \"roots\""},
	    {"no certificate", "{\"roots\":\"none\",\"since\":0}", "roots"},
	    {"no former one", "{\"roots\":\"ROOT\",\"former\":\"none\",\"since\":0}", "former"},
	    {"no time", "{\"roots\":\"ROOT\"}", "no time"},
	    {"no digest", "{\"roots\":\"ROOT\",\"since\":0,\"skipUnawareFor\":true}", "no digest"},
	    {"no whole digest", "{\"roots\":\"ROOT\",\"since\":0,\"skipUnawareFor\":\"8a\"}", "no digest"},
	    {"a time before time", "{\"roots\":\"ROOT\",\"since\":-1}", "no time"},
	};
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	CLEANUP(bundle_freep) struct bundle *root = bundle_with(h.root);
	CLEANUP(text_done) struct text pem = {0};
	bundle_print(root, &pem);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text s = {0};
		const char *at = strstr(rows[i].s, "\"ROOT\"");
		struct kept_roots kept = {0};
		struct error error;
		text_add_n(&s, rows[i].s, at ? (size_t)(at - rows[i].s) : strlen(rows[i].s));
		if (at) {
			text_add_json_string(&s, pem.s, pem.n);
			text_add(&s, at + strlen("\"ROOT\""));
		}
		ck_assert_msg(!kept_roots_read(&kept, text_get(&s), s.n, &error), "%s", rows[i].name);
		ck_assert_msg(strstr(error.message, rows[i].want) != NULL, "%s: %s", rows[i].name, error.message);
		ck_assert(!kept.roots && !kept.former);
	}
	CLEANUP(text_done) struct text big = {0};
	struct kept_roots kept = {0};
	struct error error;
	for (size_t i = 0; i <= KEPT_ROOTS_BYTES_MAX; i++)
		text_add_char(&big, ' ');
	ck_assert(!kept_roots_read(&kept, big.s, big.n, &error));
	ck_assert(strstr(error.message, "more than") != NULL);
}
END_TEST

UNIT_MAIN("kept_roots", what_is_printed_is_read, what_is_broken_is_refused)
