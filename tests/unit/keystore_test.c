#include "ca/keystore.h"

#include "ca/pem.h"
#include "tests/unit/authorities.h"
#include "tests/unit/config_dir.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PATH_SIZE 192
#define READINGS 300

/* ---- folders ---- */

/* Good for as many further calls as there are paths: for one statement or a short helper. */
static const char *path_in(const char *dir, const char *name)
{
	static char paths[16][PATH_SIZE];
	static unsigned next;
	char *path = paths[next++ % 16];
	snprintf(path, PATH_SIZE, "%s/%s", dir, name);
	return path;
}

static void copy_path(char copy[PATH_SIZE], const char *path)
{
	snprintf(copy, PATH_SIZE, "%s", path);
}

static void write_file(const char *dir, const char *name, const char *s, size_t n)
{
	FILE *file = fopen(path_in(dir, name), "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(s, 1, n, file), n);
	ck_assert_int_eq(fclose(file), 0);
}

static void read_back(const char *dir, const char *name, struct text *out)
{
	char buffer[4096];
	FILE *file = fopen(path_in(dir, name), "r");
	ck_assert_ptr_nonnull(file);
	for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
		text_add_n(out, buffer, n);
	ck_assert_int_eq(fclose(file), 0);
}

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

/* ---- asking ---- */

/* Nothing of a key may be in a message: no twelve characters of its base64. */
static void check_no_key(const char *message, const struct text *key)
{
	for (size_t at = 0; at + 12 <= key->n; at++) {
		char part[13] = "";
		memcpy(part, key->s + at, 12);
		if (!strpbrk(part, "- \n"))
			ck_assert_msg(!strstr(message, part), "a part of the key in: %s", message);
	}
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

/* The message begins with the file's path, and then says so. */
static void check_says(const struct error *error, const char *dir, const char *name, const char *want)
{
	const char *file = path_in(dir, name);
	ck_assert_msg(text_has_prefix(error->message, file), "want %s first: %s", file, error->message);
	ck_assert_msg(strstr(error->message, want) != NULL, "want: %s\ngot: %s", want, error->message);
}

static void check_bad(const char *dir, const char *name, const char *want, const struct hierarchy *h)
{
	struct error error;
	read_path(dir, KEYSTORE_BAD, &error);
	check_says(&error, dir, name, want);
	check_no_key(error.message, &h->key);
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
	    {"ca-cert.pem", &h.cert, 100, "ca-cert.pem", "no PEM block can be read"},
	    {"ca-key.pem", &h.key, 100, "ca-key.pem", "no PEM block can be read"},
	    {"cert-chain.pem", &h.chain, 100, "cert-chain.pem", "no PEM block can be read"},
	    {"root-cert.pem", &h.roots, 100, "root-cert.pem", "no PEM block can be read"},
	    {"ca-cert.pem", &h.cert, 1, "ca-cert.pem", "there is no certificate in it"},
	    {"ca-key.pem", &h.key, 1, "ca-key.pem", "there is no private key in it"},
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

static int wait_for(pid_t pid)
{
	int status = 0;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
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
				write_file(keys, ".draft", "old", 3);
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
	for (int i = 0; i < READINGS; i++) {
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
	ck_assert_msg(n_good > 0, "not one of %d was good", READINGS);
}
END_TEST

/* ---- self-signed ---- */

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
	    {"ca-key.pem", "-----BEGIN PRIVATE KEY-----\nMIGHA", "ca-key.pem", "no PEM block can be read"},
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
	            {dir.path, "/.lock: to make an authority let the user of this process (uid "}};
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

UNIT_MAIN("keystore", what_is_plugged_in_is_read_by_either_set_of_names, a_tls_crt_decides, nothing_there_is_absent,
          each_missing_file_is_named, a_chain_may_be_missing_where_there_is_none, each_damaged_file_is_named,
          an_expired_signer_is_bad, what_is_no_file_or_too_large_is_bad,
          a_file_that_may_not_be_read_is_bad_and_not_absent, each_change_moves_the_stamp,
          a_bad_change_is_told_and_mended, versions_never_mix, a_version_that_is_taken_away_is_never_nothing,
          it_is_made_once_and_kept, what_is_damaged_is_never_replaced, one_that_expired_is_told_and_kept,
          a_key_that_everybody_may_read_is_refused, a_crash_between_the_two_files_is_mended,
          drafts_of_a_crash_are_thrown_away, of_several_that_make_one_at_once_all_have_the_same,
          a_folder_that_may_not_be_written_is_told, reading_writes_nothing)
