#include "server/source/kube/kube_exec.h"

#include "base/clock.h"
#include "base/text.h"
#include "tests/unit/config_dir.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#define WAIT_MS 20000
#define V1 "client.authentication.k8s.io/v1"
#define CREDENTIAL(status) "{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{" status "}}"
/* What a plugin's script does to print one. */
#define PRINT(status) "cat <<'E'\n" CREDENTIAL(status) "\nE\n"

/* A shell script as plugin, in a folder that it finds in $DIR. */
struct fixture {
	struct config_dir dir;
	struct arena *arena;
	struct kube_exec exec;
	struct kube_config config;
	char path[128], dir_variable[128];
	const char *arguments[4], *own[4];
	char *environment[4];
	struct kube_exec_credential credential;
	struct error error;
};

static void init(struct fixture *fixture, const char *script)
{
	config_dir_init(&fixture->dir);
	config_dir_write(&fixture->dir, "plugin", script);
	snprintf(fixture->path, sizeof fixture->path, "%s/plugin", fixture->dir.path);
	snprintf(fixture->dir_variable, sizeof fixture->dir_variable, "DIR=%s", fixture->dir.path);
	ck_assert_int_eq(chmod(fixture->path, 0700), 0);
	fixture->arena = arena_new();
	memcpy(fixture->arguments, (const char *[4]){fixture->path}, sizeof fixture->arguments);
	memset(fixture->own, 0, sizeof fixture->own);
	memcpy(fixture->environment,
	       (char *[4]){(char *)(uintptr_t) "PATH=/usr/local/bin:/usr/bin:/bin", fixture->dir_variable},
	       sizeof fixture->environment);
	fixture->exec = (struct kube_exec){
	    .api_version = V1,
	    .command = fixture->path,
	    .arguments = fixture->arguments,
	    .environment = fixture->own,
	};
	fixture->config =
	    (struct kube_config){.server = "https://s", .exec = &fixture->exec, .environment = fixture->environment};
}

static void done(struct fixture *fixture)
{
	arena_free(fixture->arena);
	config_dir_done(&fixture->dir);
}

static bool run(struct fixture *fixture, int deadline_ms)
{
	return kube_exec_run(fixture->arena, &fixture->config, deadline_ms, &fixture->credential, &fixture->error);
}

/* It fails with this after "exec plugin PATH: ". */
static void expect_failure(struct fixture *fixture, int deadline_ms, const char *want)
{
	CLEANUP(text_done) struct text whole = {0};
	ck_assert(!run(fixture, deadline_ms));
	text_printf(&whole, "exec plugin %s: %s", fixture->exec.command, want);
	ck_assert_str_eq(fixture->error.message, whole.s);
}

static void expect_token(struct fixture *fixture, const char *token)
{
	ck_assert_msg(run(fixture, WAIT_MS), "%s", fixture->error.message);
	ck_assert_str_eq(fixture->credential.token, token);
}

/* ---- what it prints ---- */

static void print_credential(const struct kube_exec_credential *credential, struct text *out)
{
	if (credential->token)
		text_printf(out, "token=%s ", credential->token);
	if (credential->cert)
		text_printf(out, "cert=%s key=%s ", credential->cert, credential->key);
	text_printf(out, "expires=%lld", (long long)credential->expires_s);
}

#define EXPIRES(time) CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":\"" time "\"")
#define NO_TIME(time)                                                                                                  \
	{                                                                                                              \
		EXPIRES(time), "!its expirationTimestamp is no time such as 2026-01-02T15:04:05Z"                      \
	}

START_TEST(credentials_are_read)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
	    {CREDENTIAL("\"token\":\"t\""), "token=t expires=0"},
	    {CREDENTIAL("\"token\":\"\",\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\""),
	     "cert=C key=K expires=0"},
	    {CREDENTIAL("\"token\":\"t\",\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\",\"new\":1"),
	     "token=t cert=C key=K expires=0"},
	    {CREDENTIAL("\"token\":\"SECRET\\n\""),
	     "!it gave a token with a line end or another control character in it"},
	    {EXPIRES("2024-01-02T03:04:05Z"), "token=t expires=1704164645"},
	    {EXPIRES("2024-01-02T03:04:05.678901234Z"), "token=t expires=1704164645"},
	    {EXPIRES("2024-01-02T04:04:05+01:00"), "token=t expires=1704164645"},
	    {EXPIRES("2024-01-01T21:34:05.5-05:30"), "token=t expires=1704164645"},
	    {EXPIRES("0001-01-01T00:00:00Z"), "token=t expires=-62135596800"},
	    {CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":null"), "token=t expires=0"},
	    NO_TIME(""),
	    NO_TIME("tomorrow"),
	    NO_TIME("2024-01-02"),
	    NO_TIME("2024-01-02T03:04:05"),
	    NO_TIME("2024-01-02T03:04:05Zulu"),
	    NO_TIME("2024-01-02T03:04:05x01:00"),
	    NO_TIME("2024-01-02T03:04:05+01:00 or so"),
	    NO_TIME("2024-01-02T03:04:05+1:+1"),
	    NO_TIME("2024-01-02T03:04:05+24:00"),
	    {"", "!it printed no JSON"},
	    {"SECRET", "!it printed no JSON"},
	    {"{\"SECRET\":1,\"SECRET\":2}", "!it printed no JSON"},
	    {"[]", "!it printed no ExecCredential"},
	    {"{\"kind\":\"SECRET\",\"status\":{\"token\":\"SECRET\"}}", "!it printed no ExecCredential"},
	    {CREDENTIAL(""), "!it gave neither a token nor a certificate"},
	    {CREDENTIAL("\"token\":1"), "!it gave neither a token nor a certificate"},
	    {"{\"kind\":\"ExecCredential\"}", "!it gave neither a token nor a certificate"},
	    {CREDENTIAL("\"token\":\"t\",\"clientCertificateData\":\"SECRET\""),
	     "!it gave a certificate without its key, or a key without it"},
	    {CREDENTIAL("\"clientKeyData\":\"SECRET\""), "!it gave a certificate without its key, or a key without it"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(text_done) struct text out = {0};
		struct kube_exec_credential credential;
		struct error error;
		if (kube_exec_parse(arena, rows[i].in, strlen(rows[i].in), &credential, &error))
			print_credential(&credential, &out);
		else
			text_printf(&out, "!%s", error.message);
		ck_assert_str_eq(out.s, rows[i].want);
	}
}
END_TEST

START_TEST(credentials_have_a_largest_size)
{
	static const struct {
		const char *name;
		size_t n;
		bool want;
	} rows[] = {
	    {"token", KUBE_TOKEN_BYTES_MAX, true},
	    {"token", KUBE_TOKEN_BYTES_MAX + 1, false},
	    {"clientKeyData\":\"K\",\"clientCertificateData", KUBE_PEM_BYTES_MAX, true},
	    {"clientKeyData\":\"K\",\"clientCertificateData", KUBE_PEM_BYTES_MAX + 1, false},
	    {"clientCertificateData\":\"K\",\"clientKeyData", KUBE_PEM_BYTES_MAX + 1, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(text_done) struct text in = {0};
		struct kube_exec_credential credential;
		struct error error;
		text_printf(&in, "{\"kind\":\"ExecCredential\",\"status\":{\"%s\":\"", rows[i].name);
		for (size_t k = 0; k < rows[i].n; k++)
			text_add_char(&in, 'A');
		text_add(&in, "\"}}");
		ck_assert_int_eq(kube_exec_parse(arena, in.s, in.n, &credential, &error), rows[i].want);
		if (!rows[i].want)
			ck_assert_str_eq(error.message, "it gave a token or a certificate that is too long");
	}
}
END_TEST

START_TEST(a_plugin_gives_a_token)
{
	struct fixture fixture;
	init(&fixture, "#!/bin/sh\n" PRINT("\"token\":\"t\",\"expirationTimestamp\":\"2024-01-02T03:04:05Z\""));
	expect_token(&fixture, "t");
	ck_assert_int_eq(fixture.credential.expires_s, 1704164645);
	ck_assert_ptr_null(fixture.credential.cert);
	done(&fixture);
}
END_TEST

START_TEST(a_plugin_gives_a_certificate)
{
	struct fixture fixture;
	init(&fixture, "#!/bin/sh\n" PRINT("\"clientCertificateData\":\"C\\nC\",\"clientKeyData\":\"K\""));
	ck_assert_msg(run(&fixture, WAIT_MS), "%s", fixture.error.message);
	ck_assert_str_eq(fixture.credential.cert, "C\nC");
	ck_assert_str_eq(fixture.credential.key, "K");
	ck_assert_ptr_null(fixture.credential.token);
	done(&fixture);
}
END_TEST

/* ---- what it gets ---- */

START_TEST(a_plugin_gets_arguments_and_our_environment_with_its_own_on_top)
{
	struct fixture fixture;
	init(&fixture, "#!/bin/sh\nprintf '" CREDENTIAL("\"token\":\"%s\"") "' \"$1|$2|$A|$B|$C\"\n");
	fixture.arguments[1] = "get token";
	fixture.arguments[2] = "";
	fixture.own[0] = "A=own";
	fixture.own[1] = "C=";
	fixture.environment[2] = (char *)(uintptr_t) "A=ours";
	fixture.environment[3] = NULL;
	expect_token(&fixture, "get token||own||");
	fixture.environment[2] = (char *)(uintptr_t) "B=ours";
	expect_token(&fixture, "get token||own|ours|");
	fixture.environment[2] = (char *)(uintptr_t) "AA=ours"; /* another name */
	expect_token(&fixture, "get token||own||");
	done(&fixture);
}
END_TEST

static void expect_info(struct fixture *fixture, const char *want)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char path[128];
	size_t n = 0;
	expect_token(fixture, "t");
	snprintf(path, sizeof path, "%s/info", fixture->dir.path);
	const char *info = kube_read_file(arena, path, 10000, &n, &fixture->error);
	ck_assert_ptr_nonnull(info);
	ck_assert_str_eq(info, want);
}

START_TEST(a_plugin_is_told_what_the_credential_is_for)
{
	struct fixture fixture;
	init(&fixture, "#!/bin/sh\nprintf %s \"$KUBERNETES_EXEC_INFO\" >$DIR/info\n" PRINT("\"token\":\"t\""));
	expect_info(&fixture,
	            "{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":false}}");
	fixture.exec.wants_cluster_info = true;
	fixture.exec.api_version = V1 "beta1";
	expect_info(&fixture, "{\"apiVersion\":\"" V1 "beta1\",\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":"
	                      "false,\"cluster\":{\"server\":\"https://s\",\"insecure-skip-tls-verify\":false}}}");
	fixture.environment[2] = (char *)(uintptr_t) "KUBERNETES_EXEC_INFO=of another";
	fixture.config.is_insecure = true;
	fixture.config.server = "https://s/\"";
	expect_info(&fixture, "{\"apiVersion\":\"" V1 "beta1\",\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":"
	                      "false,\"cluster\":{\"server\":\"https://s/\\\"\",\"insecure-skip-tls-verify\":true}}}");
	done(&fixture);
}
END_TEST

START_TEST(nothing_of_ours_is_open_in_a_plugin)
{
	struct fixture fixture;
	init(&fixture, "#!/bin/sh\n(readlink /proc/self/fd/0; ls /proc/self/fd) >$DIR/info\n" PRINT("\"token\":\"t\""));
	int leak = fcntl(STDERR_FILENO, F_DUPFD, 50); /* without FD_CLOEXEC */
	ck_assert_int_ge(leak, 50);
	expect_info(&fixture, "/dev/null\n0\n1\n2\n3\n"); /* 3 is of ls itself */
	close(leak);
	done(&fixture);
}
END_TEST

START_TEST(signals_are_as_they_were_born_in_a_plugin)
{
	struct fixture fixture;
	sigset_t set, former;
	init(&fixture, "#!/bin/sh\nsed -nE 's/^Sig(Blk|Ign):.*(.{7})$/\\1 \\2/p' /proc/self/status "
	               ">$DIR/info\n" PRINT("\"token\":\"t\""));
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, &former);
	signal(SIGPIPE, SIG_IGN);
	expect_info(&fixture, "Blk 0000000\nIgn 0000000\n"); /* the first 28 */
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	signal(SIGPIPE, SIG_DFL);
	done(&fixture);
}
END_TEST

/* ---- what goes wrong ---- */

START_TEST(a_plugin_that_hangs_is_ended_with_all_that_it_started)
{
	struct fixture fixture;
	char path[128];
	init(&fixture, "#!/bin/sh\nexec 9>$DIR/alive\nsleep 1000 &\nwait\n");
	snprintf(path, sizeof path, "%s/alive", fixture.dir.path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	struct pollfd alive = {.fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
	int64_t before_ns = clock_now_ns(clock_system());
	expect_failure(&fixture, 1000, "it did not end in time");
	ck_assert_int_lt(clock_now_ns(clock_system()) - before_ns, WAIT_MS * CLOCK_MS);
	ck_assert_int_eq(poll(&alive, 1, WAIT_MS), 1); /* nobody has it open any more */
	ck_assert_int_eq(alive.revents, POLLHUP);
	close(alive.fd);
	done(&fixture);
}
END_TEST

START_TEST(each_way_of_hanging_has_the_deadline)
{
	static const char *const scripts[] = {
	    "#!/bin/sh\nsleep 1000\n",
	    "#!/bin/sh\ntrap '' TERM INT HUP\nsleep 1000\n",
	    "#!/bin/sh\nsleep 1000 >/dev/null &\necho '{}'\n",
	    "#!/bin/sh\nwhile :; do echo x >&2; done\n",
	    "#!/bin/sh\nexec >&- 2>&-\nsleep 1000\n",
	};
	for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
		struct fixture fixture;
		init(&fixture, scripts[i]);
		expect_failure(&fixture, 200, "it did not end in time");
		done(&fixture);
	}
}
END_TEST

START_TEST(a_plugin_that_prints_without_end_is_ended)
{
	struct fixture fixture;
	init(&fixture, "#!/bin/sh\nwhile :; do echo SECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRET; done\n");
	expect_failure(&fixture, WAIT_MS, "it printed more than 1048576 bytes");
	done(&fixture);
}
END_TEST

START_TEST(what_it_complains_of_is_quoted_and_what_it_prints_is_not)
{
	static const struct {
		const char *script, *want;
	} rows[] = {
	    {"printf 'log in first' >&2; echo SECRET; exit 3", "it ended with 3: log in first"},
	    {"echo SECRET; exit 1", "it ended with 1"},
	    {"echo SECRET", "it printed no JSON"},
	    {":", "it printed no JSON"},
	    {"echo warning >&2; echo SECRET", "it printed no JSON"},
	    {"printf '\\377' >&2; exit 1", "it ended with 1"},
	    {"echo log in first >&2; echo >&2; exit 3", "it ended with 3: log in first"},
	    {"echo >&2; exit 3", "it ended with 3"},
	    {"kill -9 $$", "it was ended by signal 9"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text script = {0};
		struct fixture fixture;
		text_printf(&script, "#!/bin/sh\n%s\n", rows[i].script);
		init(&fixture, script.s);
		expect_failure(&fixture, WAIT_MS, rows[i].want);
		done(&fixture);
	}
}
END_TEST

START_TEST(of_a_long_complaint_the_end_is_quoted)
{
	struct fixture fixture;
	init(&fixture, "#!/bin/sh\ni=0; while [ $i -lt 2000 ]; do printf abcdefgh; i=$((i+1)); done >&2\n"
	               "printf 'log in' >&2\nexit 1\n");
	ck_assert(!run(&fixture, WAIT_MS));
	ck_assert_msg(text_has_suffix(fixture.error.message, "abcdefghlog in"), "%s", fixture.error.message);
	const char *complaint = strstr(fixture.error.message, "it ended with 1: ");
	ck_assert_ptr_nonnull(complaint);
	ck_assert_uint_eq(strlen(complaint), strlen("it ended with 1: ") + 300);
	done(&fixture);
}
END_TEST

START_TEST(a_complaint_is_cut_between_characters)
{
	struct fixture fixture;
	init(&fixture, "#!/bin/sh\ni=0; while [ $i -lt 200 ]; do printf äöü; i=$((i+1)); done >&2\n"
	               "printf ! >&2\nexit 1\n");
	ck_assert(!run(&fixture, WAIT_MS));
	ck_assert_msg(text_has_suffix(fixture.error.message, "äöüäöü!"), "%s", fixture.error.message);
	ck_assert(text_is_utf8(fixture.error.message, strlen(fixture.error.message)));
	done(&fixture);
}
END_TEST

START_TEST(a_plugin_that_is_not_there_comes_with_its_hint)
{
	struct fixture fixture;
	init(&fixture, "");
	fixture.exec.command = fixture.arguments[0] = "weft-no-such-plugin";
	expect_failure(&fixture, WAIT_MS, "it cannot be started: No such file or directory");
	fixture.exec.install_hint = "get it from your administrator";
	expect_failure(&fixture, WAIT_MS,
	               "get it from your administrator: it cannot be started: No such file or directory");
	done(&fixture);
}
END_TEST

UNIT_MAIN("kube_exec", credentials_are_read, credentials_have_a_largest_size, a_plugin_gives_a_token,
          a_plugin_gives_a_certificate, a_plugin_gets_arguments_and_our_environment_with_its_own_on_top,
          a_plugin_is_told_what_the_credential_is_for, nothing_of_ours_is_open_in_a_plugin,
          signals_are_as_they_were_born_in_a_plugin, a_plugin_that_hangs_is_ended_with_all_that_it_started,
          each_way_of_hanging_has_the_deadline, a_plugin_that_prints_without_end_is_ended,
          what_it_complains_of_is_quoted_and_what_it_prints_is_not, of_a_long_complaint_the_end_is_quoted,
          a_complaint_is_cut_between_characters, a_plugin_that_is_not_there_comes_with_its_hint)
