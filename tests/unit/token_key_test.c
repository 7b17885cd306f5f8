#include "token/token_key.h"

#include "tests/unit/keystore_dir.h"
#include "tests/unit/tokens.h"

static struct service_account reviews(void)
{
	struct service_account account;
	struct error error;
	ck_assert(service_account_make("default", "reviews", &account, &error));
	return account;
}

static enum token_reason judge(const struct token_key *key, const char *token, const char *audience, int64_t at_s)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct clock clock = clock_at(at_s);
	const struct jwt_policy policy = {token_key_public(key), TOKEN_KEY_ISSUER, audience, &clock};
	struct service_account account, want = reviews();
	struct token_refusal refusal = {0};
	const struct jwt *jwt = jwt_parse(arena, token, strlen(token), &refusal);
	if (jwt && jwt_check(jwt, &policy, &account, &refusal))
		ck_assert_mem_eq(&account, &want, sizeof account);
	return refusal.reason;
}

static struct token_key *keep(const char *dir)
{
	struct error error;
	struct token_key *key = token_key_keep(dir, &error);
	ck_assert_msg(key != NULL, "%s", error.message);
	return key;
}

static void sign(const struct token_key *key, struct text *out)
{
	struct clock clock = clock_at(NOW_S);
	struct service_account account = reviews();
	struct error error;
	ck_assert(token_key_sign(key, &(struct token_request){&account, "istio-ca", 3600}, &clock, out, &error));
}

START_TEST(what_it_signs_it_believes)
{
	CLEANUP(config_dir_done) struct config_dir dir;
	CLEANUP(text_done) struct text token = {0}, another = {0};
	config_dir_init(&dir);
	CLEANUP(token_key_freep) struct token_key *key = keep(path_in(dir.path, "state"));
	sign(key, &token);
	sign(key, &another);
	ck_assert_str_ne(token.s, another.s);
	ck_assert_int_eq(judge(key, token.s, "istio-ca", NOW_S), TOKEN_GOOD);
	ck_assert_int_eq(judge(key, token.s, "istio-ca", NOW_S + 3600 + JWT_LEEWAY_S), TOKEN_EXPIRED);
	ck_assert_int_eq(judge(key, token.s, "istio-ca", NOW_S - JWT_LEEWAY_S - 1), TOKEN_NOT_YET_VALID);
	ck_assert_int_eq(judge(key, token.s, "other", NOW_S), TOKEN_AUDIENCE);
}
END_TEST

START_TEST(it_is_made_once_and_read_again)
{
	CLEANUP(config_dir_done) struct config_dir dir;
	CLEANUP(text_done) struct text token = {0};
	struct error error;
	struct stat status;
	config_dir_init(&dir);
	char state[PATH_SIZE];
	copy_path(state, path_in(dir.path, "state"));
	ck_assert_ptr_null(token_key_read(state, &error));
	ck_assert_int_eq(mkdir(state, 0700), 0);
	ck_assert_ptr_null(token_key_read(state, &error));
	check_says(&error, state, TOKEN_KEY_FILE, "there is no token key");
	CLEANUP(token_key_freep) struct token_key *first = keep(state), *second = keep(state);
	CLEANUP(token_key_freep) struct token_key *read = token_key_read(state, &error);
	ck_assert_ptr_nonnull(read);
	sign(first, &token);
	ck_assert_int_eq(judge(second, token.s, "istio-ca", NOW_S), TOKEN_GOOD);
	ck_assert_int_eq(judge(read, token.s, "istio-ca", NOW_S), TOKEN_GOOD);
	ck_assert_int_eq(stat(path_in(state, TOKEN_KEY_FILE), &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
}
END_TEST

START_TEST(of_processes_that_begin_at_once_one_makes_it)
{
	CLEANUP(config_dir_done) struct config_dir dir;
	config_dir_init(&dir);
	char state[PATH_SIZE];
	copy_path(state, path_in(dir.path, "state"));
	int pipes[2];
	pid_t pids[8];
	ck_assert_int_eq(pipe(pipes), 0);
	for (size_t i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			CLEANUP(text_done) struct text line = {0};
			sign(keep(state), &line);
			text_add_char(&line, '\n');
			_exit(write(pipes[1], line.s, line.n) == (ssize_t)line.n ? 0 : 1);
		}
	}
	close(pipes[1]);
	for (size_t i = 0; i < 8; i++)
		ck_assert_int_eq(wait_for(pids[i]), 0);
	CLEANUP(token_key_freep) struct token_key *key = keep(state);
	FILE *file = fdopen(pipes[0], "r");
	char line[2048];
	size_t n = 0;
	for (; fgets(line, sizeof line, file); n++) {
		line[strcspn(line, "\n")] = '\0';
		ck_assert_int_eq(judge(key, line, "istio-ca", NOW_S), TOKEN_GOOD);
	}
	fclose(file);
	ck_assert_uint_eq(n, 8);
}
END_TEST

START_TEST(a_file_that_is_no_such_key_is_kept_and_told)
{
	CLEANUP(config_dir_done) struct config_dir dir;
	struct error error;
	config_dir_init(&dir);
	static const struct {
		const char *key; /* NULL: no key at all */
		mode_t mode;
		const char *want;
	} rows[] = {{"P-384", 0600, "it must hold one P-256 private key"},
	            {"RSA 2048", 0600, "it must hold one P-256 private key"},
	            {NULL, 0600, "it must hold one P-256 private key"},
	            {"P-256", 0644, "everybody on this machine may use it"}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key(rows[i].key ? rows[i].key : "P-256");
		CLEANUP(text_done) struct text pem = {0};
		if (rows[i].key)
			certs_print_key(key, &pem);
		write_file(dir.path, TOKEN_KEY_FILE, text_get(&pem), pem.n);
		ck_assert_int_eq(chmod(path_in(dir.path, TOKEN_KEY_FILE), rows[i].mode), 0);
		ck_assert_ptr_null(token_key_keep(dir.path, &error));
		check_says(&error, dir.path, TOKEN_KEY_FILE, rows[i].want);
		check_no_key(error.message, &pem);
	}
}
END_TEST

START_TEST(a_request_has_bounds)
{
	CLEANUP(config_dir_done) struct config_dir dir;
	struct clock clock = clock_at(NOW_S);
	struct service_account account = reviews();
	struct error error;
	config_dir_init(&dir);
	CLEANUP(token_key_freep) struct token_key *key = keep(dir.path);
	char long_audience[TOKEN_AUDIENCE_MAX + 2];
	memset(long_audience, 'a', sizeof long_audience - 1);
	long_audience[sizeof long_audience - 1] = '\0';
	const struct token_request rows[] = {
	    {&account, "istio-ca", 0}, {&account, "istio-ca", -5},    {&account, "istio-ca", TOKEN_TTL_MAX_S + 1},
	    {&account, "", 60},        {&account, long_audience, 60}, {&account, "\xff", 60}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text token = {0};
		ck_assert(!token_key_sign(key, &rows[i], &clock, &token, &error));
		ck_assert_uint_eq(token.n, 0);
	}
}
END_TEST

UNIT_MAIN("token_key", what_it_signs_it_believes, it_is_made_once_and_read_again,
          of_processes_that_begin_at_once_one_makes_it, a_file_that_is_no_such_key_is_kept_and_told,
          a_request_has_bounds)
