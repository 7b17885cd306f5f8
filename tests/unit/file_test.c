#include "server/source/file.h"

#include "base/text.h"
#include "tests/unit/config_dir.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#define WAIT_MS 5000 /* bound for an event to come; passing it is a failure */
#define ROOT_NAMESPACE "istio-system"

static char service_text[512];

static const char *service(const char *name, const char *ip)
{
	snprintf(service_text, sizeof service_text,
	         "apiVersion: v1\nkind: Service\nmetadata:\n  name: %s\nspec:\n  clusterIP: '%s'\n", name, ip);
	return service_text;
}

/* A folder, what reads it, and a clock of its own. */
struct bench {
	struct config_dir dir;
	struct file_source *source;
	struct store *store;
	struct clock clock;
	bool is_changed;
};

static void bench_start(struct bench *bench, const char *path, const char *mesh_path)
{
	struct error error;
	struct file_source_options options = {
	    .paths = &path,
	    .n_paths = 1,
	    .mesh_path = mesh_path,
	    .root_namespace = ROOT_NAMESPACE,
	    .is_watching = true,
	};
	bench->source = file_source_new(&options, &error);
	ck_assert_msg(bench->source != NULL, "%s", error.message);
	bench->store = store_new(ROOT_NAMESPACE);
	bench->clock = clock_fake(CLOCK_S);
	ck_assert_msg(file_source_read_all(bench->source, bench->store, &error), "%s", error.message);
}

static void bench_done(struct bench *bench)
{
	file_source_free(bench->source);
	store_free(bench->store);
	config_dir_done(&bench->dir);
}

/* Everything that waits, settled: time goes on by what the source asks for. */
static void settle(struct bench *bench)
{
	bench->is_changed = false;
	int64_t event_ns = 0;
	for (int i = 0; i < 100; i++) {
		bool is_changed = false;
		int wait_ms = file_source_poll(bench->source, bench->store, &bench->clock, &is_changed, &event_ns);
		bench->is_changed |= is_changed;
		ck_assert_int_le(wait_ms, 1000);
		if (wait_ms < 0 || wait_ms > FILE_SETTLE_MAX_MS)
			return;
		bench->clock.now_ns += wait_ms * CLOCK_MS;
	}
	ck_abort_msg("never settles");
}

/* inotify queues an event before the call that causes it returns; so what was done is readable at once. */
static void take_in(struct bench *bench)
{
	struct pollfd wait = {.fd = file_source_fd(bench->source), .events = POLLIN};
	ck_assert_msg(poll(&wait, 1, WAIT_MS) == 1, "no event");
	settle(bench);
}

/* "name=ip name=ip | reason, …" */
static const char *content(const struct bench *bench)
{
	static char got[4096];
	CLEANUP(snapshot_unrefp) struct snapshot *snapshot = store_freeze(bench->store);
	const struct snapshot_kind *services = &snapshot->kinds[KIND_SERVICE];
	size_t n = 0;
	got[0] = '\0';
	for (size_t i = 0; i < services->n && n < sizeof got; i++)
		n += (size_t)snprintf(got + n, sizeof got - n, "%s=%s ", services->v[i]->name,
		                      ((const k8s_service *)services->v[i]->message)->spec->clusterip);
	n += (size_t)snprintf(got + n, sizeof got - n, "|");
	for (size_t i = 0; i < snapshot->n_rows && n < sizeof got; i++)
		if (snapshot->rows[i].severity != REPORT_INFO)
			n += (size_t)snprintf(got + n, sizeof got - n, " %s",
			                      report_reason_name(snapshot->rows[i].reason));
	return got;
}

static void make_dir(const struct bench *bench, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", bench->dir.path, name);
	ck_assert_int_eq(mkdir(path, 0777), 0);
}

static void link_to(const struct bench *bench, const char *target, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", bench->dir.path, name);
	ck_assert_int_eq(symlink(target, path), 0);
}

static void move(const struct bench *bench, const char *from, const char *to)
{
	char a[256], b[256];
	snprintf(a, sizeof a, "%s/%s", bench->dir.path, from);
	snprintf(b, sizeof b, "%s/%s", bench->dir.path, to);
	ck_assert_int_eq(rename(a, b), 0);
}

/* In place, as a shell's redirection writes; the descriptor stays open when asked for. */
static int write_in_place(const struct bench *bench, const char *name, const char *text, bool is_kept_open)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", bench->dir.path, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	if (is_kept_open)
		return fd;
	close(fd);
	return -1;
}

static void write_text(const struct bench *bench, const char *name, const char *text)
{
	write_in_place(bench, name, text, false);
}

static void start_with(struct bench *bench, const char *name, const char *text)
{
	config_dir_init(&bench->dir);
	write_text(bench, name, text);
	bench_start(bench, bench->dir.path, NULL);
}

START_TEST(test_first_read)
{
	struct bench bench;
	config_dir_init(&bench.dir);
	make_dir(&bench, "sub");
	make_dir(&bench, ".git");
	write_text(&bench, "a.yaml", service("a", "1"));
	write_text(&bench, "sub/b.yml", service("b", "2"));
	write_text(&bench, "c.json",
	           "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"c\"},"
	           "\"spec\":{\"clusterIP\":\"3\"}}");
	write_text(&bench, ".hidden.yaml", service("d", "4"));
	write_text(&bench, ".git/e.yaml", service("e", "5"));
	write_text(&bench, "f.yaml~", service("f", "6"));
	write_text(&bench, "README.md", "no: [manifest");
	bench_start(&bench, bench.dir.path, NULL);
	ck_assert_str_eq(content(&bench), "a=1 b=2 c=3 |");
	settle(&bench);
	ck_assert(!bench.is_changed);
	bench_done(&bench);
}
END_TEST

START_TEST(test_documents)
{
	static const struct {
		const char *name, *in, *want;
	} rows[] = {
	    {"empty", "", "|"},
	    {"comments", "# nothing\n---\n# more\n", "|"},
	    {"list",
	     "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n"
	     "  spec: {clusterIP: 1.1.1.1}\n",
	     "a=1.1.1.1 |"},
	    {"typed list",
	     "apiVersion: v1\nkind: ServiceList\nitems:\n- metadata: {name: a}\n  spec: {clusterIP: 1.1.1.1}\n",
	     "a=1.1.1.1 |"},
	    {"list in a list", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: []}\n",
	     "| Unreadable"},
	    {"kinds of others", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n", "|"},
	    {"not read yet", "apiVersion: networking.istio.io/v1\nkind: EnvoyFilter\nmetadata: {name: a}\n",
	     "| NotSupported"},
	    {"not read yet, and wrong",
	     "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: a}\nspec: {egres: []}\n",
	     "| UnknownField"},
	    {"not read yet, of a version that nobody serves",
	     "apiVersion: networking.istio.io/v7\nkind: Sidecar\nmetadata: {name: a}\nspec: {egres: []}\n",
	     "| NotSupported"},
	    {"not Kubernetes", "a: b\n", "| InvalidValue"},
	    {"broken beside sound",
	     "a: [\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {clusterIP: 1.1.1.1}\n",
	     "a=1.1.1.1 | Unreadable"},
	    {"unknown field",
	     "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: a}\n"
	     "spec: {address: 1.1.1.1, wait: 1}\n",
	     "| UnknownField"},
	    {"binary", "\xff\xfe\x01", "| Unreadable"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bench bench;
		start_with(&bench, "a.yaml", rows[i].in);
		ck_assert_msg(strcmp(content(&bench), rows[i].want) == 0, "%s: %s", rows[i].name, content(&bench));
		bench_done(&bench);
	}
}
END_TEST

START_TEST(test_change_add_remove)
{
	struct bench bench;
	start_with(&bench, "a.yaml", service("a", "1"));
	write_text(&bench, "a.yaml", service("a", "2"));
	take_in(&bench);
	ck_assert(bench.is_changed);
	ck_assert_str_eq(content(&bench), "a=2 |");
	config_dir_write(&bench.dir, "b.yaml", service("b", "3")); /* by rename */
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=2 b=3 |");
	config_dir_remove(&bench.dir, "a.yaml");
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "b=3 |");
	move(&bench, "b.yaml", "b.txt");
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "|");
	move(&bench, "b.txt", "c.yaml");
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "b=3 |");
	bench_done(&bench);
}
END_TEST

START_TEST(test_same_bytes_change_nothing)
{
	struct bench bench;
	start_with(&bench, "a.yaml", service("a", "1"));
	write_text(&bench, "a.yaml", service("a", "1"));
	take_in(&bench);
	ck_assert(!bench.is_changed);
	write_text(&bench, "note.swp", "x");
	write_text(&bench, "4913", "x");
	write_text(&bench, ".a.yaml.swx", "x");
	settle(&bench);
	ck_assert(!bench.is_changed);
	ck_assert_str_eq(content(&bench), "a=1 |");
	bench_done(&bench);
}
END_TEST

START_TEST(test_many_changes_are_one)
{
	struct bench bench;
	start_with(&bench, "a.yaml", service("a", "1"));
	bool is_changed = false;
	int64_t event_ns = 0;
	int64_t start_ns = bench.clock.now_ns;
	write_text(&bench, "a.yaml", service("a", "2"));
	ck_assert_int_eq(file_source_poll(bench.source, bench.store, &bench.clock, &is_changed, &event_ns),
	                 FILE_SETTLE_MS);
	bench.clock.now_ns += FILE_SETTLE_MS * CLOCK_MS / 2;
	write_text(&bench, "b.yaml", service("b", "2")); /* the quiet begins again */
	ck_assert_int_eq(file_source_poll(bench.source, bench.store, &bench.clock, &is_changed, &event_ns),
	                 FILE_SETTLE_MS);
	ck_assert(!is_changed);
	bench.clock.now_ns += FILE_SETTLE_MS * CLOCK_MS;
	ck_assert_int_eq(file_source_poll(bench.source, bench.store, &bench.clock, &is_changed, &event_ns), -1);
	ck_assert(is_changed);
	ck_assert_int_eq(event_ns, start_ns);
	ck_assert_str_eq(content(&bench), "a=2 b=2 |");
	bench_done(&bench);
}
END_TEST

/* Somebody who never stops writing must not keep everything else from being read. */
START_TEST(test_settling_ends)
{
	struct bench bench;
	start_with(&bench, "a.yaml", service("a", "1"));
	bool is_changed = false;
	int64_t event_ns = 0;
	int64_t start_ns = bench.clock.now_ns;
	for (int i = 0; i < 1000 && !is_changed; i++) {
		char ip[16];
		snprintf(ip, sizeof ip, "%d", i + 2);
		write_text(&bench, "a.yaml", service("a", ip));
		file_source_poll(bench.source, bench.store, &bench.clock, &is_changed, &event_ns);
		bench.clock.now_ns += FILE_SETTLE_MS * CLOCK_MS / 2;
	}
	ck_assert(is_changed);
	ck_assert_int_le(bench.clock.now_ns - start_ns, (FILE_SETTLE_MAX_MS + FILE_SETTLE_MS) * CLOCK_MS);
	bench_done(&bench);
}
END_TEST

/* A writer that cut the file and has not written yet says nothing. */
START_TEST(test_half_written)
{
	struct bench bench;
	start_with(&bench, "a.yaml", service("a", "1"));
	int fd = write_in_place(&bench, "a.yaml", "", true);
	take_in(&bench);
	ck_assert(!bench.is_changed);
	ck_assert_str_eq(content(&bench), "a=1 |");
	const char *text = service("a", "2");
	ck_assert_int_eq(write(fd, text, strlen(text) - 20), (ssize_t)strlen(text) - 20);
	close(fd);
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=1 | Unreadable"); /* cut off: the last good form */
	write_text(&bench, "a.yaml", service("a", "3"));
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=3 |");
	write_text(&bench, "a.yaml", ""); /* whole, and empty */
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "|");
	bench_done(&bench);
}
END_TEST

/* As the kubelet mounts a ConfigMap: names link through ..data, which is replaced at once. */
START_TEST(test_config_map_swap)
{
	struct bench bench;
	config_dir_init(&bench.dir);
	make_dir(&bench, "..2024_1");
	write_text(&bench, "..2024_1/a.yaml", service("a", "1"));
	write_text(&bench, "..2024_1/b.yaml", service("b", "1"));
	link_to(&bench, "..2024_1", "..data");
	link_to(&bench, "..data/a.yaml", "a.yaml");
	link_to(&bench, "..data/b.yaml", "b.yaml");
	bench_start(&bench, bench.dir.path, NULL);
	ck_assert_str_eq(content(&bench), "a=1 b=1 |");
	make_dir(&bench, "..2024_2");
	write_text(&bench, "..2024_2/a.yaml", service("a", "2"));
	link_to(&bench, "..2024_2", "..data_tmp");
	move(&bench, "..data_tmp", "..data");
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=2 |");
	bench_done(&bench);
}
END_TEST

START_TEST(test_folders_come_and_go)
{
	struct bench bench;
	start_with(&bench, "a.yaml", service("a", "1"));
	make_dir(&bench, "x");
	make_dir(&bench, "x/w");
	write_text(&bench, "x/w/b.yaml", service("b", "1")); /* before anything could be watched */
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=1 b=1 |");
	write_text(&bench, "x/w/b.yaml", service("b", "2"));
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=1 b=2 |");
	move(&bench, "x", "z");
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=1 b=2 |");
	write_text(&bench, "z/w/b.yaml", service("b", "3"));
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=1 b=3 |");
	move(&bench, "z", ".z");
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=1 |");
	write_text(&bench, ".z/w/b.yaml", service("b", "4"));
	settle(&bench);
	ck_assert_str_eq(content(&bench), "a=1 |");
	bench_done(&bench);
}
END_TEST

/* The path itself vanishes: nothing is removed; it returns: it is read. */
START_TEST(test_root_vanishes_and_returns)
{
	struct bench bench;
	char root[256];
	config_dir_init(&bench.dir);
	make_dir(&bench, "conf");
	make_dir(&bench, "conf/sub");
	write_text(&bench, "conf/sub/a.yaml", service("a", "1"));
	snprintf(root, sizeof root, "%s/conf/", bench.dir.path);
	bench_start(&bench, root, NULL);
	move(&bench, "conf", "away");
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=1 | Unreadable");
	write_text(&bench, "away/sub/a.yaml", service("a", "2"));
	config_dir_remove(&bench.dir, "away/sub/a.yaml");
	settle(&bench);
	ck_assert_str_eq(content(&bench), "a=1 | Unreadable");
	make_dir(&bench, "new");
	write_text(&bench, "new/b.yaml", service("b", "3"));
	move(&bench, "new", "conf");
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "b=3 |");
	write_text(&bench, "conf/b.yaml", service("b", "4"));
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "b=4 |");
	bench_done(&bench);
}
END_TEST

/* A release is put in force by pointing a link to it. */
START_TEST(test_root_is_a_link)
{
	struct bench bench;
	char root[256];
	config_dir_init(&bench.dir);
	make_dir(&bench, "one");
	make_dir(&bench, "two");
	write_text(&bench, "one/a.yaml", service("a", "1"));
	write_text(&bench, "two/a.yaml", service("a", "2"));
	link_to(&bench, "one", "current");
	snprintf(root, sizeof root, "%s/current", bench.dir.path);
	bench_start(&bench, root, NULL);
	link_to(&bench, "two", "next");
	move(&bench, "next", "current");
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=2 |");
	write_text(&bench, "two/a.yaml", service("a", "3"));
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=3 |");
	bench_done(&bench);
}
END_TEST

START_TEST(test_root_is_a_file)
{
	struct bench bench;
	char root[256];
	config_dir_init(&bench.dir);
	write_text(&bench, "only.txt", service("a", "1"));
	write_text(&bench, "other.yaml", service("b", "1"));
	snprintf(root, sizeof root, "%s/only.txt", bench.dir.path);
	bench_start(&bench, root, NULL);
	ck_assert_str_eq(content(&bench), "a=1 |");
	write_text(&bench, "only.txt", service("a", "2"));
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=2 |");
	config_dir_remove(&bench.dir, "only.txt");
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "|");
	write_text(&bench, "only.txt", service("a", "3"));
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=3 |");
	bench_done(&bench);
}
END_TEST

START_TEST(test_loops_end)
{
	struct bench bench;
	config_dir_init(&bench.dir);
	make_dir(&bench, "sub");
	write_text(&bench, "sub/a.yaml", service("a", "1"));
	link_to(&bench, "..", "sub/up");
	bench_start(&bench, bench.dir.path, NULL);
	ck_assert_str_eq(content(&bench), "a=1 | Unreadable");
	config_dir_remove(&bench.dir, "sub/up");
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=1 |");
	bench_done(&bench);
}
END_TEST

START_TEST(test_deep_folders_end)
{
	struct bench bench;
	CLEANUP(text_done) struct text name = {0};
	text_add(&name, "d");
	config_dir_init(&bench.dir);
	for (int i = 0; i < 24; i++) {
		make_dir(&bench, text_get(&name));
		text_add(&name, "/d");
	}
	bench_start(&bench, bench.dir.path, NULL);
	ck_assert_str_eq(content(&bench), "| Unreadable");
	bench_done(&bench);
}
END_TEST

START_TEST(test_too_large)
{
	struct bench bench;
	char path[256];
	start_with(&bench, "a.yaml", service("a", "1"));
	snprintf(path, sizeof path, "%s/a.yaml", bench.dir.path);
	ck_assert_int_eq(truncate(path, 50 << 20), 0);
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=1 | Unreadable");
	bench_done(&bench);
}
END_TEST

START_TEST(test_mesh_file)
{
	struct bench bench;
	char mesh[256];
	config_dir_init(&bench.dir);
	write_text(&bench, "mesh.yaml", "trustDomain: a.example\nnewerField: 1\n");
	write_text(&bench, "s.yaml", service("a", "1"));
	snprintf(mesh, sizeof mesh, "%s/mesh.yaml", bench.dir.path);
	bench_start(&bench, bench.dir.path, mesh); /* which lies among the manifests */
	static const struct {
		const char *text, *want;
	} steps[] = {
	    {NULL, "trustDomain: a.example\nnewerField: 1\n"},
	    {"trustDomain: b.example\n", "trustDomain: b.example\n"},
	    {"trustDomain: [\n", "trustDomain: b.example\n"},
	    {"trustDomain: {}\n", "trustDomain: b.example\n"},
	    {"trustDomain: c.example\n", "trustDomain: c.example\n"},
	};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		if (steps[i].text) {
			write_text(&bench, "mesh.yaml", steps[i].text);
			take_in(&bench);
		}
		CLEANUP(snapshot_unrefp) struct snapshot *snapshot = store_freeze(bench.store);
		const struct object *object = snapshot_get(snapshot, KIND_CONFIG_MAP, ROOT_NAMESPACE, "istio");
		ck_assert_ptr_nonnull(object);
		const k8s_config_map *map = (const k8s_config_map *)object->message;
		ck_assert_uint_eq(map->n_data, 1);
		ck_assert_str_eq(map->data[0]->key, "mesh");
		ck_assert_str_eq(map->data[0]->value, steps[i].want);
	}
	config_dir_remove(&bench.dir, "mesh.yaml");
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=1 | Unreadable");
	CLEANUP(snapshot_unrefp) struct snapshot *snapshot = store_freeze(bench.store);
	ck_assert_ptr_nonnull(snapshot_get(snapshot, KIND_CONFIG_MAP, ROOT_NAMESPACE, "istio"));
	bench_done(&bench);
}
END_TEST

/* More files at once than are looked at one by one. */
START_TEST(test_many_files)
{
	struct bench bench;
	start_with(&bench, "a.yaml", service("a", "1"));
	for (int i = 0; i < 300; i++) {
		char file[32], name[32];
		snprintf(file, sizeof file, "f%d.yaml", i);
		snprintf(name, sizeof name, "s%d", i);
		write_text(&bench, file, service(name, "1"));
	}
	take_in(&bench);
	ck_assert_uint_eq(store_count(bench.store), 301);
	for (int i = 0; i < 300; i++) {
		char file[32];
		snprintf(file, sizeof file, "f%d.yaml", i);
		config_dir_remove(&bench.dir, file);
	}
	take_in(&bench);
	ck_assert_str_eq(content(&bench), "a=1 |");
	bench_done(&bench);
}
END_TEST

START_TEST(test_missing_path)
{
	const char *path = "/nonexistent/weft";
	struct error error;
	struct file_source_options options = {.paths = &path, .n_paths = 1, .root_namespace = ROOT_NAMESPACE};
	ck_assert_ptr_null(file_source_new(&options, &error));
	ck_assert_msg(strstr(error.message, path) != NULL, "%s", error.message);
}
END_TEST

START_TEST(test_read_once)
{
	struct bench bench;
	struct error error;
	config_dir_init(&bench.dir);
	write_text(&bench, "a.yaml", service("a", "1"));
	const char *path = bench.dir.path;
	struct file_source_options options = {.paths = &path, .n_paths = 1, .root_namespace = ROOT_NAMESPACE};
	bench.source = file_source_new(&options, &error);
	bench.store = store_new(ROOT_NAMESPACE);
	bench.clock = clock_fake(CLOCK_S);
	ck_assert(file_source_read_all(bench.source, bench.store, &error));
	ck_assert_int_eq(file_source_fd(bench.source), -1);
	ck_assert_str_eq(content(&bench), "a=1 |");
	settle(&bench);
	ck_assert(!bench.is_changed);
	bench_done(&bench);
}
END_TEST

UNIT_MAIN("file", test_first_read, test_documents, test_change_add_remove, test_same_bytes_change_nothing,
          test_many_changes_are_one, test_settling_ends, test_half_written, test_config_map_swap,
          test_folders_come_and_go, test_root_vanishes_and_returns, test_root_is_a_link, test_root_is_a_file,
          test_loops_end, test_deep_folders_end, test_too_large, test_mesh_file, test_many_files, test_missing_path,
          test_read_once)
