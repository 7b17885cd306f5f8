#include "agent/file_secrets.h"

#include "agent/small_file.h"
#include "proto/envoy.h"
#include "proto/pack.h"
#include "tests/unit/authorities.h"
#include "tests/unit/config_dir.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/weft-test-XXXXXX";

/* A stream that subscribes and counts what it is sent. */
struct listener {
	struct transport_stream base;
	struct transport_handler handler;
	void *stream;
	unsigned sent;
};

static void fake_send(struct transport_stream *base, struct buffer *const *parts, size_t n_parts)
{
	(void)parts, (void)n_parts;
	((struct listener *)base)->sent++;
}

static const struct transport_ops fake_ops = {.send = fake_send};

static void subscribe(struct listener *listener, struct sds *sds, const char *name)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *names[] = {arena_strdup(arena, name)};
	envoy_discovery_request *message = envoy_discovery_request_new(arena);
	message->resource_names = names;
	message->n_resource_names = 1;
	struct bytes bytes = pack(arena, &message->base);
	*listener = (struct listener){.base.ops = &fake_ops, .handler = sds_handler(sds)};
	listener->stream = listener->handler.open(listener->handler.context, &listener->base, SDS_STREAM);
	listener->handler.message(listener->stream, bytes.data, bytes.n);
}

static void deliver(struct listener *listener)
{
	listener->handler.work(listener->handler.context);
	listener->handler.ready(listener->stream);
}

static const char *path_of(const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void put_file(const char *name, const struct text *text)
{
	struct error error;
	ck_assert_msg(small_file_write(path_of(name), text->s, text->n, -1, &error), "%s", error.message);
}

START_TEST(files_are_read_again_when_they_change_and_only_as_a_pair)
{
	struct hierarchy one, two;
	struct listener listener;
	char name[600];
	ck_assert_ptr_nonnull(mkdtemp(folder));
	hierarchy_init(&one);
	hierarchy_init(&two);
	struct sds *sds = sds_new(&(struct sds_options){0});
	struct file_secrets *files = file_secrets_new(sds);
	snprintf(name, sizeof name, "file-cert:%s/cert~%s/key", folder, folder);
	ck_assert(!file_secrets_work(files));
	subscribe(&listener, sds, name);
	ck_assert(!file_secrets_work(files)); /* there are no files yet */
	put_file("cert", &one.cert);
	put_file("key", &one.key);
	ck_assert(file_secrets_work(files));
	deliver(&listener);
	ck_assert_uint_eq(listener.sent, 1);
	ck_assert(!file_secrets_work(files));
	put_file("cert", &two.cert); /* half of the new pair */
	ck_assert(!file_secrets_work(files));
	put_file("key", &two.key);
	ck_assert(file_secrets_work(files));
	deliver(&listener);
	ck_assert_uint_eq(listener.sent, 2);
	listener.handler.close(listener.stream);
	ck_assert(!file_secrets_work(files));
	unlink(path_of("cert"));
	unlink(path_of("key"));
	rmdir(folder);
	file_secrets_free(files);
	sds_free(sds);
	hierarchy_done(&one);
	hierarchy_done(&two);
}
END_TEST

START_TEST(small_files_are_for_their_owner_and_have_a_bound)
{
	CLEANUP(text_done) struct text content = {0};
	struct stat status;
	struct error error;
	char path[300];
	ck_assert_ptr_nonnull(mkdtemp(strcpy(folder, "/tmp/weft-test-XXXXXX")));
	snprintf(path, sizeof path, "%s/a/b", folder);
	ck_assert(small_file_write(path, "x", 1, -1, &error));
	ck_assert(!stat(path, &status));
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
	ck_assert(small_file_read(path, &content, &error));
	ck_assert_str_eq(content.s, "x");
	ck_assert(small_file_write(path, "x\0y", 3, -1, &error));
	ck_assert(!small_file_read(path, &content, &error));
	ck_assert_ptr_nonnull(strstr(error.message, "there is a NUL in it"));
	struct text large = {0};
	while (large.n <= SMALL_FILE_MAX)
		text_add(&large, "0123456789abcdef");
	ck_assert(small_file_write(path, large.s, large.n, -1, &error));
	ck_assert(!small_file_read(path, &content, &error));
	ck_assert_ptr_nonnull(strstr(error.message, "more than"));
	text_done(&large);
	unlink(path);
	snprintf(path, sizeof path, "%s/a", folder);
	rmdir(path);
	rmdir(folder);
}
END_TEST

UNIT_MAIN("file_secrets", files_are_read_again_when_they_change_and_only_as_a_pair,
          small_files_are_for_their_owner_and_have_a_bound)
