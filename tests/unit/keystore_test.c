#include "ca/keystore.h"

#include "ca/keystore_folder.h"
#include "ca/pem.h"
#include "tests/unit/keystore_dir.h"

#include <fcntl.h>
#include <signal.h>

#define READINGS 150
#define READINGS_RENEWED 400

/* With Istio's names, or as a Secret of type kubernetes.io/tls. */
static void plug_in(const char *dir, const struct hierarchy *h, bool is_tls)
{
	write_file(dir, is_tls ? "tls.key" : "ca-key.pem", h->key.s, h->key.n);
	write_file(dir, is_tls ? "ca.crt" : "root-cert.pem", h->roots.s, h->roots.n);
	if (is_tls) {
		write_file(dir, "tls.crt", h->chain.s, h->chain.n);
		return;
	}
	write_file(dir, "ca-cert.pem", h->cert.s, h->cert.n);
	write_file(dir, "cert-chain.pem", h->chain.s, h->chain.n);
}

/* As the kubelet mounts a Secret: files are links by way of ..data, which is a link to a version. */
static void mount_version(const char *dir, const char *version, const struct hierarchy *h)
{
	static const char *const names[] = {"ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"};
	ck_assert_int_eq(mkdir(path_in(dir, version), 0755), 0);
	plug_in(path_in(dir, version), h, false);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (access(path_in(dir, names[i]), F_OK) != 0)
			(void)!symlink(path_in("..data", names[i]), path_in(dir, names[i]));
}

static int point_to(const char *dir, const char *version)
{
	return symlink(version, path_in(dir, "..data_tmp")) != 0 ||
	       rename(path_in(dir, "..data_tmp"), path_in(dir, "..data")) != 0;
}

static struct authority *read_path(const char *path, enum keystore_outcome want, struct error *error)
{
	struct clock clock = clock_at(NOW_S);
	struct authority *authority = NULL;
	struct digest stamp;
	*error = (struct error){""};
	enum keystore_outcome outcome = keystore_read(path, &clock, &authority, &stamp, error);
	ck_assert_msg(outcome == want, "outcome %d, want %d: %s", outcome, want, error->message);
	ck_assert((authority != NULL) == (want == KEYSTORE_GOOD));
	ck_assert(digest_equal(stamp, keystore_stamp(path)));
	ck_assert(ERR_peek_error() == 0);
	return authority;
}

static void check_good(const char *path, const struct hierarchy *h)
{
	struct error error;
	CLEANUP(authority_freep) struct authority *authority = read_path(path, KEYSTORE_GOOD, &error);
	ck_assert_int_eq(X509_cmp(authority_cert(authority), h->signer), 0);
	ck_assert(bundle_has(authority_roots(authority), h->root));
}

static void check_bad(const char *dir, const char *name, const char *want, const struct hierarchy *h)
{
	struct error error;
	read_path(dir, KEYSTORE_BAD, &error);
	check_says(&error, dir, name, want);
	check_no_key(error.message, &h->key);
}

/* ---- plugged in ---- */

START_TEST(what_is_plugged_in_is_read_by_either_set_of_names)
{
	for (int is_tls = 0; is_tls < 2; is_tls++) {
		CLEANUP(hierarchy_done) struct hierarchy h;
		CLEANUP(config_dir_done) struct config_dir dir;
		hierarchy_init(&h);
		config_dir_init(&dir);
		plug_in(dir.path, &h, is_tls);
		check_good(dir.path, &h);
	}
}
END_TEST

START_TEST(a_tls_crt_decides)
{
	CLEANUP(hierarchy_done) struct hierarchy h, other;
	CLEANUP(config_dir_done) struct config_dir dir;
	hierarchy_init(&h);
	hierarchy_init(&other);
	config_dir_init(&dir);
	plug_in(dir.path, &other, false);
	plug_in(dir.path, &h, true);
	check_good(dir.path, &h);
	config_dir_remove(&dir, "tls.crt");
	check_good(dir.path, &other);
}
END_TEST

START_TEST(nothing_there_is_absent)
{
	CLEANUP(config_dir_done) struct config_dir dir;
	struct error error;
	config_dir_init(&dir);
	write_file(dir.path, "README", "keys come here", 14);
	read_path(dir.path, KEYSTORE_ABSENT, &error);
	ck_assert_msg(strstr(error.message, ": there is neither ca-cert.pem nor tls.crt in it"), "%s", error.message);
	read_path(path_in(dir.path, "none"), KEYSTORE_ABSENT, &error);
	check_says(&error, dir.path, "none", "there is no such folder");
	read_path(path_in(dir.path, "README"), KEYSTORE_BAD, &error);
	check_says(&error, dir.path, "README", "this must be a folder that can be read: Not a directory");
}
END_TEST

START_TEST(each_missing_file_is_named)
{
	static const struct {
		const char *name;
		bool is_tls;
	} rows[] = {{"ca-cert.pem", false}, {"ca-key.pem", false}, {"root-cert.pem", false},
	            {"tls.crt", true},      {"tls.key", true},     {"ca.crt", true}};
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(config_dir_done) struct config_dir dir;
		config_dir_init(&dir);
		plug_in(dir.path, &h, rows[i].is_tls);
		config_dir_remove(&dir, rows[i].name);
		check_bad(dir.path, rows[i].name, ": it is missing; put ", &h);
	}
}
END_TEST

/* Between signer and root stands another authority: without the chain the signer leads nowhere; else it may be absent.
 */
START_TEST(a_chain_may_be_missing_where_there_is_none)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	CLEANUP(config_dir_done) struct config_dir dir;
	hierarchy_init(&h);
	config_dir_init(&dir);
	plug_in(dir.path, &h, false);
	config_dir_remove(&dir, "cert-chain.pem");
	check_bad(dir.path, "ca-cert.pem", "it does not lead to a root in", &h);
	h.roots.n = 0;
	certificate_print(h.middle, &h.roots);
	write_file(dir.path, "root-cert.pem", h.roots.s, h.roots.n);
	struct error error;
	CLEANUP(authority_freep) struct authority *authority = read_path(dir.path, KEYSTORE_GOOD, &error);
	ck_assert_int_eq(X509_cmp(authority_cert(authority), h.signer), 0);
}
END_TEST

START_TEST(each_damaged_file_is_named)
{
	CLEANUP(hierarchy_done) struct hierarchy h, other;
	hierarchy_init(&h);
	hierarchy_init(&other);
	const struct {
		const char *name;
		const struct text *content;
		size_t cut; /* how much is left; 0 is all */
		const char *at, *want;
	} rows[] = {
	    {"ca-cert.pem", &h.cert, 100, "ca-cert.pem", "ends in the middle of a PEM block"},
	    {"ca-key.pem", &h.key, 100, "ca-key.pem", "ends in the middle of a PEM block"},
	    {"cert-chain.pem", &h.chain, 100, "cert-chain.pem", "ends in the middle of a PEM block"},
	    {"root-cert.pem", &h.roots, 100, "root-cert.pem", "ends in the middle of a PEM block"},
	    {"ca-cert.pem", &h.cert, 1, "ca-cert.pem", "ends in the middle of a PEM block"},
	    {"ca-key.pem", &h.key, 1, "ca-key.pem", "ends in the middle of a PEM block"},
	    {"ca-key.pem", &other.key, 0, "ca-key.pem", "this is not the private key of the certificate in "},
	    {"root-cert.pem", &other.roots, 0, "ca-cert.pem", "it does not lead to a root in "},
	    {"root-cert.pem", &h.key, 0, "root-cert.pem", "a PRIVATE KEY stands among the certificates"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(config_dir_done) struct config_dir dir;
		config_dir_init(&dir);
		plug_in(dir.path, &h, false);
		write_file(dir.path, rows[i].name, rows[i].content->s, rows[i].cut ? rows[i].cut : rows[i].content->n);
		check_bad(dir.path, rows[i].at, rows[i].want, &h);
		check_bad(dir.path, rows[i].at, "; put a whole and valid set there: ca-cert.pem, ", &other);
	}
}
END_TEST

START_TEST(an_expired_signer_is_bad)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	CLEANUP(config_dir_done) struct config_dir dir;
	hierarchy_init(&h);
	config_dir_init(&dir);
	hierarchy_set_signer(&h, (struct cert_wish){.end_s = -60});
	plug_in(dir.path, &h, false);
	check_bad(dir.path, "ca-cert.pem", "it expired at 2027-01-15T07:59:00Z", &h);
}
END_TEST

START_TEST(what_is_no_file_or_too_large_is_bad)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	CLEANUP(config_dir_done) struct config_dir dir;
	hierarchy_init(&h);
	config_dir_init(&dir);
	plug_in(dir.path, &h, false);
	ck_assert_int_eq(truncate(path_in(dir.path, "root-cert.pem"), PEM_BYTES_MAX + 1), 0);
	check_bad(dir.path, "root-cert.pem", "it has 1048577 bytes, at most 1048576 are allowed", &h);
	config_dir_remove(&dir, "root-cert.pem");
	ck_assert_int_eq(mkdir(path_in(dir.path, "root-cert.pem"), 0700), 0);
	check_bad(dir.path, "root-cert.pem", "it is not a file", &h);
	ck_assert_int_eq(rmdir(path_in(dir.path, "root-cert.pem")), 0);
	ck_assert_int_eq(mkfifo(path_in(dir.path, "root-cert.pem"), 0600),
	                 0); /* opening it must not wait for a writer */
	check_bad(dir.path, "root-cert.pem", "it is not a file", &h);
}
END_TEST

/* Runs in another process, as somebody who may not pass by modes. */
static int read_as_nobody(const char *dir)
{
	struct error error = {""};
	struct clock clock = clock_at(NOW_S);
	struct authority *authority = NULL;
	struct digest stamp;
	if (geteuid() == 0 && setuid(65534) != 0)
		return 2;
	if (keystore_read(dir, &clock, &authority, &stamp, &error) != KEYSTORE_BAD)
		return 3;
	return text_has_prefix(error.message, path_in(dir, "ca-key.pem: let the user of this process (uid ")) &&
	               text_has_suffix(error.message, "Permission denied")
	           ? 0
	           : 4;
}

START_TEST(a_file_that_may_not_be_read_is_bad_and_not_absent)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	CLEANUP(config_dir_done) struct config_dir dir;
	hierarchy_init(&h);
	config_dir_init(&dir);
	plug_in(dir.path, &h, false);
	ck_assert_int_eq(chmod(dir.path, 0755), 0);
	ck_assert_int_eq(chmod(path_in(dir.path, "ca-key.pem"), 0), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(read_as_nobody(dir.path));
	ck_assert_int_eq(wait_for(pid), 0);
}
END_TEST

/* ---- changes ---- */

/* As long as the other, and as old: another file all the same. */
static void write_alike(const char *dir, const char *name, const char *other)
{
	struct stat status;
	ck_assert_int_eq(stat(path_in(dir, other), &status), 0);
	write_file(dir, name, "new", 3);
	const struct timespec times[] = {status.st_atim, status.st_mtim};
	ck_assert_int_eq(utimensat(AT_FDCWD, path_in(dir, name), times, 0), 0);
}

START_TEST(each_change_moves_the_stamp)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	CLEANUP(config_dir_done) struct config_dir dir;
	hierarchy_init(&h);
	config_dir_init(&dir);
	struct digest none = keystore_stamp(path_in(dir.path, "keys"));
	ck_assert_int_eq(mkdir(path_in(dir.path, "keys"), 0700), 0);
	char keys[PATH_SIZE];
	copy_path(keys, path_in(dir.path, "keys"));
	struct digest last = keystore_stamp(keys);
	ck_assert(!digest_equal(none, last));
	static const char *const names[] = {"ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem",
	                                    "tls.crt",     "tls.key",    "ca.crt"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		for (int step = 0; step < 4; step++) { /* comes, is replaced by the same, is longer, goes */
			if (step == 1)
				write_alike(keys, ".draft", names[i]);
			if (step == 0 || step == 2)
				write_file(keys, names[i], "older", step == 0 ? 3 : 5);
			else if (step == 1)
				ck_assert_int_eq(rename(path_in(keys, ".draft"), path_in(keys, names[i])), 0);
			else
				ck_assert_int_eq(unlink(path_in(keys, names[i])), 0);
			struct digest now = keystore_stamp(keys);
			ck_assert_msg(!digest_equal(last, now), "%s, step %d", names[i], step);
			ck_assert(digest_equal(now, keystore_stamp(keys)));
			last = now;
		}
	}
	write_file(keys, "other", "x", 1);
	ck_assert(digest_equal(last, keystore_stamp(keys)));
}
END_TEST

START_TEST(a_bad_change_is_told_and_mended)
{
	CLEANUP(hierarchy_done) struct hierarchy h, next;
	CLEANUP(config_dir_done) struct config_dir dir;
	hierarchy_init(&h);
	hierarchy_init(&next);
	config_dir_init(&dir);
	mount_version(dir.path, "..v1", &h);
	ck_assert_int_eq(point_to(dir.path, "..v1"), 0);
	check_good(dir.path, &h);
	struct digest good = keystore_stamp(dir.path);
	mount_version(dir.path, "..v2", &next);
	write_file(path_in(dir.path, "..v2"), "ca-key.pem", h.key.s, h.key.n);
	ck_assert(digest_equal(good, keystore_stamp(dir.path))); /* nobody has pointed to it yet */
	ck_assert_int_eq(point_to(dir.path, "..v2"), 0);
	ck_assert(!digest_equal(good, keystore_stamp(dir.path)));
	check_bad(dir.path, "ca-key.pem", "this is not the private key of", &h);
	write_file(path_in(dir.path, "..v2"), "ca-key.pem", next.key.s, next.key.n);
	check_good(dir.path, &next);
	ck_assert_int_eq(unlink(path_in(dir.path, "..data")), 0);
	ck_assert_int_eq(symlink("..v3", path_in(dir.path, "..data")), 0);
	check_bad(dir.path, "..data", "it leads to nothing", &h);
}
END_TEST

/* What was opened stays what it was, knows that it is not the current one, and says when it is gone. */
START_TEST(an_opened_folder_stays_at_its_version)
{
	CLEANUP(hierarchy_done) struct hierarchy h, next;
	CLEANUP(config_dir_done) struct config_dir dir;
	CLEANUP(keystore_folder_done) struct keystore_folder folder = {.fd = -1};
	struct keystore_file file;
	struct error error;
	bool is_absent = true;
	hierarchy_init(&h);
	hierarchy_init(&next);
	config_dir_init(&dir);
	mount_version(dir.path, "..v1", &h);
	mount_version(dir.path, "..v2", &next);
	ck_assert_int_eq(point_to(dir.path, "..v1"), 0);
	ck_assert(keystore_folder_open(&folder, dir.path, &is_absent, &error) && !is_absent);
	ck_assert(keystore_folder_is_current(&folder));
	ck_assert_int_eq(point_to(dir.path, "..v2"), 0);
	ck_assert(!keystore_folder_is_current(&folder));
	ck_assert(keystore_folder_read(&folder, "ca-key.pem", &file, &error) && file.is_there);
	ck_assert_uint_eq(file.pem.n, h.key.n);
	ck_assert_mem_eq(file.pem.s, h.key.s, h.key.n);
	keystore_file_done(&file);
	ck_assert_int_eq(unlink(path_in(dir.path, "..v1/ca-key.pem")), 0);
	ck_assert(keystore_folder_read(&folder, "ca-key.pem", &file, &error) && !file.is_there);
	ck_assert(!keystore_folder_has(&folder, "ca-key.pem"));
	ck_assert_int_eq(point_to(dir.path, "..v1"), 0);
	ck_assert(keystore_folder_is_current(&folder));
}
END_TEST

/* A process that swaps, as fast as it can, until it is ended. */
static pid_t begin_swapping(const char *dir)
{
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	for (unsigned i = 0;; i++)
		if (point_to(dir, i % 2 ? "..v1" : "..v2") || getppid() == 1)
			_exit(1);
}

START_TEST(versions_never_mix)
{
	struct hierarchy h[2];
	CLEANUP(config_dir_done) struct config_dir dir;
	config_dir_init(&dir);
	hierarchy_init(&h[0]);
	hierarchy_init(&h[1]);
	mount_version(dir.path, "..v1", &h[0]);
	mount_version(dir.path, "..v2", &h[1]);
	ck_assert_int_eq(point_to(dir.path, "..v1"), 0);
	struct clock clock = clock_at(NOW_S);
	pid_t pid = begin_swapping(dir.path);
	size_t seen[2] = {0};
	for (int i = 0; i < READINGS; i++) {
		CLEANUP(authority_freep) struct authority *authority = NULL;
		struct error error = {""};
		struct digest stamp;
		enum keystore_outcome outcome = keystore_read(dir.path, &clock, &authority, &stamp, &error);
		ck_assert_msg(outcome == KEYSTORE_GOOD, "reading %d: %s", i, error.message);
		size_t which = X509_cmp(authority_cert(authority), h[1].signer) == 0;
		seen[which]++;
		ck_assert_int_eq(X509_cmp(authority_cert(authority), h[which].signer), 0);
		ck_assert(bundle_has(authority_roots(authority), h[which].root));
	}
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(wait_for(pid), -1);
	ck_assert_msg(seen[0] && seen[1], "no swap was seen: %zu, %zu", seen[0], seen[1]);
	hierarchy_done(&h[0]);
	hierarchy_done(&h[1]);
}
END_TEST

/* One file after the other leaves the version that is being read, then ..data does: as when the kubelet cleans up. */
static pid_t begin_renewing(const char *dir, const struct hierarchy *h)
{
	static const char *const names[] = {"ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"};
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	for (unsigned i = 1; getppid() != 1; i++) {
		char new[16], old[16], path[PATH_SIZE];
		snprintf(new, sizeof new, "..n%u", i);
		snprintf(old, sizeof old, "..n%u", i - 1);
		mount_version(dir, new, h);
		if (point_to(dir, new))
			_exit(1);
		copy_path(path, path_in(dir, old));
		for (size_t k = 0; k < 4; k++)
			unlink(path_in(path, names[k]));
		rmdir(path);
	}
	_exit(0);
}

START_TEST(a_version_that_is_taken_away_is_never_nothing)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	CLEANUP(config_dir_done) struct config_dir dir;
	config_dir_init(&dir);
	hierarchy_init(&h);
	mount_version(dir.path, "..n0", &h);
	ck_assert_int_eq(point_to(dir.path, "..n0"), 0);
	struct clock clock = clock_at(NOW_S);
	pid_t pid = begin_renewing(dir.path, &h);
	int n_good = 0;
	for (int i = 0; i < READINGS_RENEWED; i++) {
		CLEANUP(authority_freep) struct authority *authority = NULL;
		struct error error = {""};
		struct digest stamp;
		enum keystore_outcome outcome = keystore_read(dir.path, &clock, &authority, &stamp, &error);
		n_good += outcome == KEYSTORE_GOOD;
		ck_assert_msg(outcome == KEYSTORE_GOOD || strstr(error.message, "change while they are read") ||
		                  strstr(error.message, "..data: it leads to nothing"),
		              "reading %d: %s", i, error.message);
	}
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(wait_for(pid), -1);
	ck_assert_msg(n_good > 0, "not one of %d was good", READINGS_RENEWED);
}
END_TEST

UNIT_MAIN("keystore", what_is_plugged_in_is_read_by_either_set_of_names, a_tls_crt_decides, nothing_there_is_absent,
          each_missing_file_is_named, a_chain_may_be_missing_where_there_is_none, each_damaged_file_is_named,
          an_expired_signer_is_bad, what_is_no_file_or_too_large_is_bad,
          a_file_that_may_not_be_read_is_bad_and_not_absent, each_change_moves_the_stamp,
          a_bad_change_is_told_and_mended, an_opened_folder_stays_at_its_version, versions_never_mix,
          a_version_that_is_taken_away_is_never_nothing)
