#include "agent/status.h"

#include "agent/agent_manual.h"
#include "agent/agent_options.h"
#include "agent/envoy_admin.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

START_TEST(readiness_has_a_reason)
{
	static const struct {
		const char *name;
		struct workload_identity_status identity;
		const char *envoy;
		bool is_draining;
		const char *want; /* NULL: ready */
	} rows[] = {
	    {"all good", {.health = RENEWAL_VALID}, NULL, false, NULL},
	    {"none yet", {.words = "there is no certificate yet"}, NULL, false, "there is no certificate yet"},
	    {"expired",
	     {.health = RENEWAL_OVER, .words = "the certificate expired 3m ago"},
	     NULL,
	     false,
	     "the certificate expired 3m ago"},
	    {"Envoy waits",
	     {.health = RENEWAL_VALID},
	     "Envoy is not ready: INITIALIZING",
	     false,
	     "Envoy is not ready: INITIALIZING"},
	    {"stopping", {.health = RENEWAL_VALID}, NULL, true, "stopping"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct error reason = {""};
		bool is_ready = status_judge(&rows[i].identity, rows[i].envoy, rows[i].is_draining, &reason);
		ck_assert_msg(is_ready == !rows[i].want, "%s", rows[i].name);
		if (rows[i].want)
			ck_assert_str_eq(reason.message, rows[i].want);
	}
}
END_TEST

START_TEST(connections_of_clients_are_counted)
{
	static const struct {
		const char *stats;
		uint64_t want;
	} rows[] = {
	    {"", 0},
	    {"http.inbound_8080.downstream_cx_active: 3\n", 3},
	    {"http.admin.downstream_cx_active: 1\nhttp.stats.downstream_cx_active: 1\n", 0},
	    {"http.a.downstream_cx_active: 3\ntcp.b.downstream_cx_active: 4", 7},
	    {"no number here\n", 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_uint_eq(envoy_admin_sum(rows[i].stats), rows[i].want);
}
END_TEST

START_TEST(the_manual_names_every_option)
{
	CLEANUP(text_done) struct text manual = {0};
	agent_manual_print(&manual);
	for (size_t i = 0; i < agent_options_table.n; i++) {
		char want[64];
		snprintf(want, sizeof want, "\n       --%s", agent_options_table.rows[i].name);
		ck_assert_msg(strstr(manual.s, want) != NULL, "%s", want);
	}
	for (size_t i = 0; i < STATUS_ENDPOINTS; i++)
		ck_assert_ptr_nonnull(strstr(manual.s, status_endpoints[i].path));
}
END_TEST

UNIT_MAIN("status", readiness_has_a_reason, connections_of_clients_are_counted, the_manual_names_every_option)
