#include "server/source/kube/kube_credentials.h"

#include "base/text.h"
#include "tests/unit/config_dir.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#define PEM(content) "-----BEGIN X-----\n" content "\n-----END X-----\n"
#define HALF_PEM "-----BEGIN X-----\nAAAA"
#define PRINT(status) "cat <<'E'\n{\"kind\":\"ExecCredential\",\"status\":{" status "}}\nE\n"

/* A config in a folder, and time that the test moves. */
struct fixture {
	struct config_dir dir;
	struct clock clock;
	struct kube_config config;
	struct kube_exec exec;
	char paths[4][128], dir_variable[128];
	const char *arguments[2], *own[1];
	char *environment[3];
	struct kube_credentials *credentials;
	struct kube_credential credential;
	struct error error;
};

static void init(struct fixture *fixture)
{
	*fixture = (struct fixture){.clock = clock_fake(1000 * CLOCK_S)};
	fixture->clock.wall_ns = INT64_C(1704164645) * CLOCK_S; /* 2024-01-02T03:04:05Z */
	config_dir_init(&fixture->dir);
}

static const char *in_dir(struct fixture *fixture, size_t i, const char *name)
{
	snprintf(fixture->paths[i], sizeof fixture->paths[i], "%s/%s", fixture->dir.path, name);
	return fixture->paths[i];
}

static void begin(struct fixture *fixture)
{
	fixture->credentials = kube_credentials_new(&fixture->config, &fixture->clock);
}

static void done(struct fixture *fixture)
{
	kube_credentials_free(fixture->credentials);
	config_dir_done(&fixture->dir);
}

static void pass(struct fixture *fixture, int64_t ms)
{
	fixture->clock.now_ns += ms * CLOCK_MS;
	fixture->clock.wall_ns += ms * CLOCK_MS;
}

static void get(struct fixture *fixture)
{
	ck_assert_msg(kube_credentials_get(fixture->credentials, &fixture->credential, &fixture->error), "%s",
	              fixture->error.message);
}

static void expect(struct fixture *fixture, const char *authorization)
{
	get(fixture);
	ck_assert_pstr_eq(fixture->credential.authorization, authorization);
}

static void expect_later(struct fixture *fixture, const char *authorization)
{
	pass(fixture, KUBE_CREDENTIALS_LOOK_MS);
	expect(fixture, authorization);
}

static void expect_error(struct fixture *fixture, const char *want)
{
	ck_assert(!kube_credentials_get(fixture->credentials, &fixture->credential, &fixture->error));
	ck_assert_msg(strstr(fixture->error.message, want) != NULL, "%s", fixture->error.message);
	ck_assert_ptr_null(strstr(fixture->error.message, "SECRET"));
}

static void write_in_place(const struct fixture *fixture, const char *name, const char *content)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", fixture->dir.path, name);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(content, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(what_the_kubeconfig_has_itself_is_presented)
{
	static const struct {
		struct kube_config config;
		const char *want;
	} rows[] = {
	    {{0}, NULL},
	    {{.token = "t"}, "Bearer t"},
	    {{.username = "me", .password = "secret"}, "Basic bWU6c2VjcmV0"},
	    {{.username = "me"}, "Basic bWU6"},
	    {{.username = "jürgen", .password = "a:b"}, "Basic asO8cmdlbjphOmI="},
	    {{.token = "t", .username = "me", .password = "secret"}, "Bearer t"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture fixture;
		init(&fixture);
		fixture.config = rows[i].config;
		begin(&fixture);
		expect(&fixture, rows[i].want);
		expect_later(&fixture, rows[i].want);
		done(&fixture);
	}
}
END_TEST

START_TEST(certificates_of_the_kubeconfig_are_presented)
{
	struct fixture fixture;
	init(&fixture);
	fixture.config.ca = (struct kube_pem){.data = "CA", .n = 2};
	fixture.config.cert = (struct kube_pem){.data = "CERT", .n = 4};
	fixture.config.key = (struct kube_pem){.data = "KEY", .n = 3};
	begin(&fixture);
	get(&fixture);
	ck_assert_str_eq(fixture.credential.ca.data, "CA");
	ck_assert_str_eq(fixture.credential.cert.data, "CERT");
	ck_assert_uint_eq(fixture.credential.key.n, 3);
	ck_assert_ptr_null(fixture.credential.authorization);
	done(&fixture);
}
END_TEST

/* ---- files ---- */

static void init_token(struct fixture *fixture, const char *content)
{
	init(fixture);
	fixture->config.token_file = in_dir(fixture, 0, "token");
	if (content)
		config_dir_write(&fixture->dir, "token", content);
	begin(fixture);
}

START_TEST(a_token_file_is_read_again_when_it_changes)
{
	struct fixture fixture;
	init_token(&fixture, "one\n");
	expect(&fixture, "Bearer one");
	config_dir_write(&fixture.dir, "token", "two \r\n");
	expect_later(&fixture, "Bearer two");
	write_in_place(&fixture, "token", "three");
	expect_later(&fixture, "Bearer three");
	expect_later(&fixture, "Bearer three");
	done(&fixture);
}
END_TEST

START_TEST(a_file_is_looked_at_so_often)
{
	struct fixture fixture;
	init_token(&fixture, "one");
	expect(&fixture, "Bearer one");
	config_dir_write(&fixture.dir, "token", "two");
	pass(&fixture, KUBE_CREDENTIALS_LOOK_MS - 1);
	expect(&fixture, "Bearer one");
	pass(&fixture, 1);
	expect(&fixture, "Bearer two");
	done(&fixture);
}
END_TEST

START_TEST(a_refused_token_is_read_again_at_once)
{
	struct fixture fixture;
	init_token(&fixture, "one");
	expect(&fixture, "Bearer one");
	config_dir_write(&fixture.dir, "token", "two");
	expect(&fixture, "Bearer one");
	kube_credentials_reject(fixture.credentials);
	expect(&fixture, "Bearer two");
	kube_credentials_reject(fixture.credentials);
	expect(&fixture, "Bearer two");
	done(&fixture);
}
END_TEST

/* The same size, inode and time, as a fast writer may leave it: only a refusal tells. */
START_TEST(a_refused_token_is_read_again_though_its_file_looks_the_same)
{
	struct fixture fixture;
	struct stat before;
	init_token(&fixture, "one");
	expect(&fixture, "Bearer one");
	ck_assert_int_eq(stat(fixture.paths[0], &before), 0);
	write_in_place(&fixture, "token", "two");
	ck_assert_int_eq(utimensat(AT_FDCWD, fixture.paths[0], (struct timespec[2]){before.st_atim, before.st_mtim}, 0),
	                 0);
	kube_credentials_reject(fixture.credentials);
	expect(&fixture, "Bearer two");
	done(&fixture);
}
END_TEST

START_TEST(without_a_new_token_the_former_one_stays)
{
	struct fixture fixture;
	CLEANUP(text_done) struct text large = {0};
	init_token(&fixture, "one");
	expect(&fixture, "Bearer one");
	config_dir_remove(&fixture.dir, "token");
	expect_later(&fixture, "Bearer one");
	config_dir_write(&fixture.dir, "token", "");
	expect_later(&fixture, "Bearer one");
	config_dir_write(&fixture.dir, "token", " \n");
	expect_later(&fixture, "Bearer one");
	config_dir_write(&fixture.dir, "token", "\xff\xfe");
	expect_later(&fixture, "Bearer one");
	config_dir_write(&fixture.dir, "token", "two\nX-Other: header\n");
	expect_later(&fixture, "Bearer one");
	for (size_t i = 0; i <= KUBE_TOKEN_BYTES_MAX; i++)
		text_add_char(&large, 'a');
	config_dir_write(&fixture.dir, "token", large.s);
	expect_later(&fixture, "Bearer one");
	kube_credentials_reject(fixture.credentials);
	expect(&fixture, "Bearer one");
	config_dir_write(&fixture.dir, "token", "two");
	expect_later(&fixture, "Bearer two");
	done(&fixture);
}
END_TEST

START_TEST(a_token_that_never_was_is_an_error)
{
	struct fixture fixture;
	init_token(&fixture, NULL);
	expect_error(&fixture, "/token: No such file or directory");
	config_dir_write(&fixture.dir, "token", "");
	expect_error(&fixture, "/token is not whole");
	config_dir_write(&fixture.dir, "token", "SECRET\r\nX: y");
	expect_error(&fixture, "/token is not whole");
	config_dir_write(&fixture.dir, "token", "one"); /* looked at again at once, for there is none */
	expect(&fixture, "Bearer one");
	done(&fixture);
}
END_TEST

START_TEST(a_token_of_the_kubeconfig_stands_in_until_its_file_is_there)
{
	struct fixture fixture;
	init_token(&fixture, NULL);
	fixture.config.token = "own";
	expect(&fixture, "Bearer own");
	config_dir_write(&fixture.dir, "token", "one");
	expect_later(&fixture, "Bearer one");
	config_dir_remove(&fixture.dir, "token");
	expect_later(&fixture, "Bearer one");
	done(&fixture);
}
END_TEST

static void init_certificate(struct fixture *fixture)
{
	init(fixture);
	fixture->config.ca.file = in_dir(fixture, 0, "ca");
	fixture->config.cert.file = in_dir(fixture, 1, "cert");
	fixture->config.key.file = in_dir(fixture, 2, "key");
	config_dir_write(&fixture->dir, "ca", PEM("CA"));
	config_dir_write(&fixture->dir, "cert", PEM("CERT"));
	begin(fixture);
}

START_TEST(certificates_in_files_are_read_again)
{
	struct fixture fixture;
	init_certificate(&fixture);
	expect_error(&fixture, "/key: No such file or directory");
	config_dir_write(&fixture.dir, "key", HALF_PEM);
	expect_error(&fixture, "/key is not whole");
	config_dir_write(&fixture.dir, "key", PEM("KEY"));
	get(&fixture);
	ck_assert_str_eq(fixture.credential.ca.data, PEM("CA"));
	ck_assert_str_eq(fixture.credential.cert.data, PEM("CERT"));
	ck_assert_str_eq(fixture.credential.key.data, PEM("KEY"));
	ck_assert_uint_eq(fixture.credential.key.n, strlen(PEM("KEY")));
	config_dir_write(&fixture.dir, "key", HALF_PEM);
	config_dir_remove(&fixture.dir, "ca");
	config_dir_write(&fixture.dir, "cert", PEM("CERT2"));
	pass(&fixture, KUBE_CREDENTIALS_LOOK_MS);
	get(&fixture);
	ck_assert_str_eq(fixture.credential.ca.data, PEM("CA"));
	ck_assert_str_eq(fixture.credential.cert.data, PEM("CERT2"));
	ck_assert_str_eq(fixture.credential.key.data, PEM("KEY"));
	write_in_place(&fixture, "key", HALF_PEM "AAAA\n-----END X-----\n");
	pass(&fixture, KUBE_CREDENTIALS_LOOK_MS);
	get(&fixture);
	ck_assert_str_eq(fixture.credential.key.data, HALF_PEM "AAAA\n-----END X-----\n");
	done(&fixture);
}
END_TEST

/* ---- plugins ---- */

/* The plugin says in the file "runs" how often it ran, and does what the file "what" says. */
static void init_exec(struct fixture *fixture, const char *what)
{
	init(fixture);
	config_dir_write(&fixture->dir, "plugin", "#!/bin/sh\nprintf . >>$DIR/runs\n. $DIR/what\n");
	config_dir_write(&fixture->dir, "what", what);
	config_dir_write(&fixture->dir, "runs", "");
	fixture->exec.api_version = "client.authentication.k8s.io/v1";
	fixture->exec.command = fixture->arguments[0] = in_dir(fixture, 0, "plugin");
	fixture->exec.arguments = fixture->arguments;
	fixture->exec.environment = fixture->own;
	ck_assert_int_eq(chmod(fixture->paths[0], 0700), 0);
	snprintf(fixture->dir_variable, sizeof fixture->dir_variable, "DIR=%s", fixture->dir.path);
	fixture->environment[0] = (char *)(uintptr_t) "PATH=/usr/local/bin:/usr/bin:/bin";
	fixture->environment[1] = fixture->dir_variable;
	fixture->config.environment = fixture->environment;
	fixture->config.exec = &fixture->exec;
	begin(fixture);
}

static void expect_runs(struct fixture *fixture, int64_t want)
{
	struct stat status;
	ck_assert_int_eq(stat(in_dir(fixture, 1, "runs"), &status), 0);
	ck_assert_int_eq(status.st_size, want);
}

#define EXPIRING(token, time) PRINT("\"token\":\"" token "\",\"expirationTimestamp\":\"" time "\"")

START_TEST(a_plugin_runs_again_before_its_credential_expires)
{
	struct fixture fixture;
	init_exec(&fixture, EXPIRING("one", "2024-01-02T03:05:05Z")); /* in a minute */
	expect(&fixture, "Bearer one");
	config_dir_write(&fixture.dir, "what", EXPIRING("two", "2024-01-02T04:05:05Z"));
	pass(&fixture, (60 - KUBE_CREDENTIALS_EARLY_S) * 1000 - 1);
	expect(&fixture, "Bearer one");
	expect_runs(&fixture, 1);
	pass(&fixture, 1);
	expect(&fixture, "Bearer two");
	expect(&fixture, "Bearer two");
	expect_runs(&fixture, 2);
	done(&fixture);
}
END_TEST

START_TEST(a_credential_without_an_end_is_kept)
{
	struct fixture fixture;
	init_exec(&fixture, PRINT("\"clientCertificateData\":\"C\",\"clientKeyData\":\"KEY\""));
	get(&fixture);
	pass(&fixture, INT64_C(1000) * 86400 * 365);
	get(&fixture);
	ck_assert_ptr_null(fixture.credential.authorization);
	ck_assert_str_eq(fixture.credential.cert.data, "C");
	ck_assert_uint_eq(fixture.credential.cert.n, 1);
	ck_assert_str_eq(fixture.credential.key.data, "KEY");
	ck_assert_uint_eq(fixture.credential.key.n, 3);
	expect_runs(&fixture, 1);
	done(&fixture);
}
END_TEST

START_TEST(a_refused_credential_is_asked_for_anew_but_not_all_the_time)
{
	struct fixture fixture;
	init_exec(&fixture, PRINT("\"token\":\"one\""));
	expect(&fixture, "Bearer one");
	config_dir_write(&fixture.dir, "what", PRINT("\"token\":\"two\""));
	kube_credentials_reject(fixture.credentials);
	pass(&fixture, KUBE_CREDENTIALS_EXEC_GAP_S * 1000 - 1);
	expect(&fixture, "Bearer one");
	expect_runs(&fixture, 1);
	pass(&fixture, 1);
	expect(&fixture, "Bearer two");
	expect_runs(&fixture, 2);
	pass(&fixture, KUBE_CREDENTIALS_EXEC_GAP_S * 1000);
	expect(&fixture, "Bearer two");
	expect_runs(&fixture, 2);
	done(&fixture);
}
END_TEST

START_TEST(a_credential_that_has_expired_already_does_not_run_the_plugin_all_the_time)
{
	struct fixture fixture;
	init_exec(&fixture, EXPIRING("one", "2024-01-02T03:04:00Z"));
	expect(&fixture, "Bearer one");
	expect(&fixture, "Bearer one");
	expect_runs(&fixture, 1);
	pass(&fixture, KUBE_CREDENTIALS_EXEC_GAP_S * 1000);
	expect(&fixture, "Bearer one");
	expect_runs(&fixture, 2);
	done(&fixture);
}
END_TEST

START_TEST(when_the_plugin_fails_the_former_credential_stays)
{
	struct fixture fixture;
	init_exec(&fixture, EXPIRING("one", "2024-01-02T03:05:05Z"));
	expect(&fixture, "Bearer one");
	config_dir_write(&fixture.dir, "what", "echo SECRET; exit 1\n");
	pass(&fixture, 55000);
	expect(&fixture, "Bearer one");
	expect(&fixture, "Bearer one");
	expect_runs(&fixture, 2);
	config_dir_write(&fixture.dir, "what", PRINT("\"token\":\"two\""));
	pass(&fixture, KUBE_CREDENTIALS_EXEC_GAP_S * 1000);
	expect(&fixture, "Bearer two");
	done(&fixture);
}
END_TEST

/* Every kind asks for credentials: one that hangs would be waited for by each. */
START_TEST(a_plugin_that_has_failed_is_not_run_for_every_request)
{
	struct fixture fixture;
	init_exec(&fixture, "echo SECRET; echo log in first >&2; exit 1\n");
	expect_error(&fixture, "/plugin: it ended with 1: log in first");
	expect_error(&fixture, "/plugin: it ended with 1: log in first");
	expect_runs(&fixture, 1);
	config_dir_write(&fixture.dir, "what", PRINT("\"token\":\"two\""));
	pass(&fixture, KUBE_CREDENTIALS_EXEC_GAP_S * 1000 - 1);
	expect_error(&fixture, "/plugin: it ended with 1: log in first");
	pass(&fixture, 1);
	expect(&fixture, "Bearer two");
	expect_runs(&fixture, 2);
	done(&fixture);
}
END_TEST

UNIT_MAIN("kube_credentials", what_the_kubeconfig_has_itself_is_presented, certificates_of_the_kubeconfig_are_presented,
          a_token_file_is_read_again_when_it_changes, a_file_is_looked_at_so_often,
          a_refused_token_is_read_again_at_once, a_refused_token_is_read_again_though_its_file_looks_the_same,
          without_a_new_token_the_former_one_stays, a_token_that_never_was_is_an_error,
          a_token_of_the_kubeconfig_stands_in_until_its_file_is_there, certificates_in_files_are_read_again,
          a_plugin_runs_again_before_its_credential_expires, a_credential_without_an_end_is_kept,
          a_refused_credential_is_asked_for_anew_but_not_all_the_time,
          a_credential_that_has_expired_already_does_not_run_the_plugin_all_the_time,
          when_the_plugin_fails_the_former_credential_stays, a_plugin_that_has_failed_is_not_run_for_every_request)
