#include "ca/keystore.h"

#include "tests/unit/keystore_dir.h"

static void read_back(const char *dir, const char *name, struct text *out)
{
	char buffer[4096];
	FILE *file = fopen(path_in(dir, name), "r");
	ck_assert_ptr_nonnull(file);
	for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
		text_add_n(out, buffer, n);
	ck_assert_int_eq(fclose(file), 0);
}

static struct authority *keep(const char *dir, struct error *error)
{
	struct clock clock = clock_at(NOW_S);
	struct authority_plan plan = {.trust_domain = "cluster.local", .serial = {1, 2}};
	*error = (struct error){""};
	struct authority *authority = keystore_keep(dir, &plan, &clock, error);
	ck_assert_msg((authority != NULL) == (error->message[0] == '\0'), "%s", error->message);
	ck_assert(ERR_peek_error() == 0);
	return authority;
}

static struct digest keep_digest(const char *dir)
{
	struct error error;
	CLEANUP(authority_freep) struct authority *authority = keep(dir, &error);
	ck_assert_msg(authority != NULL, "%s", error.message);
	return bundle_digest(authority_roots(authority));
}

static void check_not_kept(const char *dir, const char *name, const char *want)
{
	struct error error;
	CLEANUP(authority_freep) struct authority *authority = keep(dir, &error);
	ck_assert_msg(authority == NULL, "kept, but want: %s", want);
	check_says(&error, dir, name, want);
}

static mode_t mode_of(const char *path)
{
	struct stat status;
	ck_assert_int_eq(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static void check_no_drafts(const char *dir)
{
	ck_assert(access(path_in(dir, ".ca-key.pem.new"), F_OK) != 0);
	ck_assert(access(path_in(dir, ".ca-cert.pem.new"), F_OK) != 0);
}

START_TEST(it_is_made_once_and_kept)
{
	CLEANUP(config_dir_done) struct config_dir dir;
	config_dir_init(&dir);
	char state[PATH_SIZE];
	copy_path(state, path_in(dir.path, "state"));
	umask(0);
	struct digest first = keep_digest(state);
	ck_assert_uint_eq(mode_of(state), 0700);
	ck_assert_uint_eq(mode_of(path_in(state, "ca-key.pem")), 0600);
	check_no_drafts(state);
	struct digest stamp = keystore_stamp(state);
	ck_assert(digest_equal(first, keep_digest(state)));
	ck_assert(digest_equal(stamp, keystore_stamp(state)));
}
END_TEST

START_TEST(what_is_damaged_is_never_replaced)
{
	CLEANUP(hierarchy_done) struct hierarchy other;
	hierarchy_init(&other);
	CLEANUP(text_done) struct text root_key = {0};
	certs_print_key(other.root_key, &root_key);
	const struct {
		const char *name, *content; /* NULL: it is removed */
		const char *at, *want;
	} rows[] = {
	    {"ca-cert.pem", NULL, "ca-cert.pem", "it is missing, but ca-key.pem is there; restore it from a backup"},
	    {"ca-key.pem", NULL, "ca-key.pem", "it is missing, but ca-cert.pem is there; restore it from a backup"},
	    {"ca-cert.pem", "", "ca-cert.pem", "there is no certificate in it; restore ca-cert.pem and ca-key.pem"},
	    {"ca-key.pem", "", "ca-key.pem", "there is no private key in it; restore"},
	    {"ca-key.pem", "-----BEGIN PRIVATE KEY-----\nMIGHA", "ca-key.pem", "ends in the middle of a PEM block"},
	    {"ca-key.pem", root_key.s, "ca-key.pem", "this is not the private key of the certificate in "},
	    {"ca-cert.pem", other.roots.s, "ca-key.pem", "this is not the private key of the certificate in "},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(config_dir_done) struct config_dir dir;
		CLEANUP(text_done) struct text key = {0}, before = {0}, after = {0};
		config_dir_init(&dir);
		keep_digest(dir.path);
		read_back(dir.path, "ca-key.pem", &key);
		if (rows[i].content)
			write_file(dir.path, rows[i].name, rows[i].content, strlen(rows[i].content));
		else
			config_dir_remove(&dir, rows[i].name);
		const char *survivor = strcmp(rows[i].name, "ca-key.pem") == 0 ? "ca-cert.pem" : "ca-key.pem";
		read_back(dir.path, survivor, &before);
		struct error error;
		for (int again = 0; again < 2; again++) {
			ck_assert(keep(dir.path, &error) == NULL);
			check_says(&error, dir.path, rows[i].at, rows[i].want);
			check_no_key(error.message, &key);
			check_no_key(error.message, &root_key);
		}
		read_back(dir.path, survivor, &after);
		ck_assert_str_eq(before.s, after.s);
		check_no_drafts(dir.path);
	}
}
END_TEST

START_TEST(one_that_expired_is_told_and_kept)
{
	CLEANUP(config_dir_done) struct config_dir dir;
	config_dir_init(&dir);
	struct digest made = keep_digest(dir.path);
	struct error error;
	struct clock late = clock_at(NOW_S + AUTHORITY_LIFETIME_S);
	struct authority_plan plan = {.trust_domain = "cluster.local", .serial = {9}};
	ck_assert(keystore_keep(dir.path, &plan, &late, &error) == NULL);
	check_says(&error, dir.path, "ca-cert.pem", "it expired at");
	ck_assert(digest_equal(made, keep_digest(dir.path)));
}
END_TEST

START_TEST(a_key_that_everybody_may_read_is_refused)
{
	CLEANUP(config_dir_done) struct config_dir dir;
	config_dir_init(&dir);
	keep_digest(dir.path);
	ck_assert_int_eq(chmod(path_in(dir.path, "ca-key.pem"), 0644), 0);
	check_not_kept(dir.path, "ca-key.pem", "everybody on this machine may use it (mode 0644); run chmod 600 on it");
	ck_assert_int_eq(chmod(path_in(dir.path, "ca-key.pem"), 0660), 0); /* as volumes with an fsGroup are */
	keep_digest(dir.path);
}
END_TEST

/* It was killed when the key had its name and the certificate did not: the same authority comes of it. */
START_TEST(a_crash_between_the_two_files_is_mended)
{
	CLEANUP(config_dir_done) struct config_dir dir;
	config_dir_init(&dir);
	struct digest made = keep_digest(dir.path);
	ck_assert_int_eq(rename(path_in(dir.path, "ca-cert.pem"), path_in(dir.path, ".ca-cert.pem.new")), 0);
	ck_assert_int_eq(link(path_in(dir.path, "ca-key.pem"), path_in(dir.path, ".ca-key.pem.new")), 0);
	ck_assert(digest_equal(made, keep_digest(dir.path)));
	check_no_drafts(dir.path);
}
END_TEST

START_TEST(drafts_of_a_crash_are_thrown_away)
{
	CLEANUP(hierarchy_done) struct hierarchy other;
	CLEANUP(config_dir_done) struct config_dir dir;
	hierarchy_init(&other);
	config_dir_init(&dir);
	write_file(dir.path, ".ca-key.pem.new", other.key.s, other.key.n / 2);
	write_file(dir.path, ".ca-cert.pem.new", other.roots.s, other.roots.n);
	keep_digest(dir.path);
	check_no_drafts(dir.path);
	/* and a whole draft does not go with another's key */
	config_dir_remove(&dir, "ca-cert.pem");
	write_file(dir.path, ".ca-cert.pem.new", other.roots.s, other.roots.n);
	check_not_kept(dir.path, "ca-cert.pem", "it is missing, but ca-key.pem is there");
	ck_assert(access(path_in(dir.path, "ca-cert.pem"), F_OK) != 0);
}
END_TEST

#define RACERS 4
#define RACES 6

/* Begins when the gate is closed; writes what it has. */
static pid_t begin_racer(const char *dir, const int gate[2], int out)
{
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	char byte;
	close(gate[1]);
	(void)!read(gate[0], &byte, 1);
	struct clock clock = clock_at(NOW_S);
	struct authority_plan plan = {.trust_domain = "cluster.local", .serial = {1}};
	struct error error;
	struct authority *authority = keystore_keep(dir, &plan, &clock, &error);
	if (!authority)
		_exit(1);
	struct digest digest = bundle_digest(authority_roots(authority));
	_exit(write(out, &digest, sizeof digest) == sizeof digest ? 0 : 2);
}

START_TEST(of_several_that_make_one_at_once_all_have_the_same)
{
	for (int race = 0; race < RACES; race++) {
		CLEANUP(config_dir_done) struct config_dir dir;
		config_dir_init(&dir);
		int gate[2], out[2];
		pid_t pids[RACERS];
		char state[PATH_SIZE];
		copy_path(state, path_in(dir.path, "state"));
		ck_assert_int_eq(pipe(gate), 0);
		ck_assert_int_eq(pipe(out), 0);
		for (size_t i = 0; i < RACERS; i++)
			pids[i] = begin_racer(state, gate, out[1]);
		close(gate[0]);
		close(gate[1]);
		for (size_t i = 0; i < RACERS; i++)
			ck_assert_int_eq(wait_for(pids[i]), 0);
		struct digest kept = keep_digest(state);
		for (size_t i = 0; i < RACERS; i++) {
			struct digest digest;
			ck_assert_int_eq(read(out[0], &digest, sizeof digest), sizeof digest);
			ck_assert(digest_equal(digest, kept));
		}
		close(out[0]);
		close(out[1]);
		check_no_drafts(state);
	}
}
END_TEST

/* Runs in another process, as somebody who may not write there. 0: as wanted. */
static int keep_as_nobody(const char *dir, const char *want)
{
	if (geteuid() == 0 && setuid(65534) != 0)
		return 2;
	struct clock clock = clock_at(NOW_S);
	struct authority_plan plan = {.trust_domain = "cluster.local", .serial = {1}};
	struct error error = {""};
	struct authority *authority = keystore_keep(dir, &plan, &clock, &error);
	return !authority && strstr(error.message, want) && strstr(error.message, "Permission denied") ? 0 : 3;
}

START_TEST(a_folder_that_may_not_be_written_is_told)
{
	CLEANUP(config_dir_done) struct config_dir dir;
	config_dir_init(&dir);
	ck_assert_int_eq(chmod(dir.path, 0555), 0);
	const struct {
		const char *path, *want;
	} rows[] = {{path_in(dir.path, "state"), "/state: this folder cannot be made; make it and let uid "},
	            {dir.path, "/.lock: to have keys made let the user of this process (uid "}};
	for (size_t i = 0; i < 2; i++) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(keep_as_nobody(rows[i].path, rows[i].want));
		ck_assert_int_eq(wait_for(pid), 0);
	}
	ck_assert_int_eq(chmod(dir.path, 0755), 0);
}
END_TEST

/* What was made is read where nothing can be written (a backup, a mounted Secret): not even a lock is wanted. */
START_TEST(reading_writes_nothing)
{
	CLEANUP(config_dir_done) struct config_dir dir;
	config_dir_init(&dir);
	struct digest made = keep_digest(dir.path);
	config_dir_remove(&dir, ".lock");
	ck_assert(digest_equal(made, keep_digest(dir.path)));
	ck_assert(access(path_in(dir.path, ".lock"), F_OK) != 0);
}
END_TEST

UNIT_MAIN("keystore_state", it_is_made_once_and_kept, what_is_damaged_is_never_replaced,
          one_that_expired_is_told_and_kept, a_key_that_everybody_may_read_is_refused,
          a_crash_between_the_two_files_is_mended, drafts_of_a_crash_are_thrown_away,
          of_several_that_make_one_at_once_all_have_the_same, a_folder_that_may_not_be_written_is_told,
          reading_writes_nothing)
