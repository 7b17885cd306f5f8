#pragma once
/*
 * Tables of specs, and of where a kind's check finds something in them.
 *
 *     static const struct row rows[] = {{"port 0", "{portLevelMtls: {0: {}}}", "spec.portLevelMtls"}};
 *     CHECK_SECURITY("PeerAuthentication", rows);
 */
#include "tests/unit/decoded.h"
#include "tests/unit/unit.h"

/* A spec, and where its issues are ("~" before warnings); "" for none. */
struct row {
	const char *name, *spec, *want;
};

__attribute__((unused)) static void check_rows(const char *group, const char *kind, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP(text_done) struct text yaml = {0};
		text_printf(&yaml, "apiVersion: %s.istio.io/v1\nkind: %s\nmetadata: {name: a, namespace: here}\n",
		            group, kind);
		text_printf(&yaml, "spec: %s\n", rows[i].spec);
		struct decoded decoded = decode(text_get(&yaml));
		ck_assert_msg(strcmp(decoded_issues(&decoded), rows[i].want) == 0, "%s: got \"%s\", want \"%s\"",
		              rows[i].name, decoded_issues(&decoded), rows[i].want);
		decoded_done(&decoded);
	}
}
#define CHECK_ROWS(kind, rows) check_rows("networking", (kind), (rows), sizeof(rows) / sizeof(rows)[0])
#define CHECK_SECURITY(kind, rows) check_rows("security", (kind), (rows), sizeof(rows) / sizeof(rows)[0])
