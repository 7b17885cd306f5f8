#include "server/xds/name_list.h"

#include "base/heap.h"
#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NAME_TABLE_BUCKETS 1024 /* lists are few: one for each set of proxies that differ */

struct name_table {
	struct name_list *buckets[NAME_TABLE_BUCKETS];
	size_t n;
};

struct name_table *name_table_new(void)
{
	return HEAP_NEW(struct name_table);
}

void name_table_free(struct name_table *table)
{
	if (!table)
		return;
	assert(table->n == 0);
	free(table);
}

size_t name_table_count(const struct name_table *table)
{
	return table->n;
}

static struct name_list **name_table_bucket(struct name_table *table, struct digest digest)
{
	return &table->buckets[digest.w[0] % NAME_TABLE_BUCKETS];
}

/* One block: the struct, the pointers, the names one behind the other. */
static struct name_list *name_list_build(const char *const *names, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		bytes += strlen(names[i]) + 1;

	struct name_list *list = heap_alloc(sizeof *list + n * sizeof(char *) + bytes);
	const char **v = (const char **)(list + 1);
	char *at = (char *)(v + n);
	const char *block = at;
	for (size_t i = 0; i < n; i++) {
		size_t size = strlen(names[i]) + 1;
		memcpy(at, names[i], size);
		v[i] = at;
		at += size;
	}
	*list = (struct name_list){.digest = digest_of(block, bytes), .n = n, .v = v, .bytes = bytes, .refs = 1};
	return list;
}

/* names: sorted, no duplicates. */
static struct name_list *name_table_intern(struct name_table *table, const char *const *names, size_t n)
{
	if (!n)
		return NULL;
	struct name_list *list = name_list_build(names, n);
	struct name_list **bucket = name_table_bucket(table, list->digest);
	for (struct name_list *other = *bucket; other; other = other->next) {
		if (digest_equal(other->digest, list->digest)) {
			free(list);
			return name_list_ref(other);
		}
	}
	list->table = table;
	list->next = *bucket;
	*bucket = list;
	table->n++;
	return list;
}

static bool is_sorted(const char *const *names, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (strcmp(names[i - 1], names[i]) > 0)
			return false;
	}
	return true;
}

struct name_list *name_list_new(struct name_table *table, const char *const *names, size_t n)
{
	const char **v = HEAP_NEW_N(const char *, n);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		v[i] = names[i];
	if (!is_sorted(v, n)) /* Envoy sorts in delta */
		qsort(v, n, sizeof *v, text_compare);
	for (size_t i = 0; i < n; i++) {
		if (!kept || strcmp(v[kept - 1], v[i]) != 0)
			v[kept++] = v[i];
	}
	struct name_list *list = name_table_intern(table, v, kept);
	free(v);
	return list;
}

struct name_list *name_list_change(struct name_table *table, struct name_list *list, struct name_list *more,
                                   const struct name_list *less)
{
	if (!list)
		return name_list_ref(more);
	if (!more && !less)
		return name_list_ref(list);
	size_t n_list = list ? list->n : 0, n_more = more ? more->n : 0, n = 0, i = 0, j = 0;
	const char **v = HEAP_NEW_N(const char *, n_list + n_more);

	while (i < n_list || j < n_more) {
		int order = i == n_list ? 1 : j == n_more ? -1 : strcmp(list->v[i], more->v[j]);
		const char *name = order <= 0 ? list->v[i] : more->v[j];
		bool is_asked = order >= 0;
		i += order <= 0;
		j += order >= 0;
		if (is_asked || !name_list_has(less, name))
			v[n++] = name;
	}
	struct name_list *changed = name_table_intern(table, v, n);
	free(v);
	return changed;
}

struct name_list *name_list_ref(struct name_list *list)
{
	if (list)
		list->refs++;
	return list;
}

void name_list_unref(struct name_list *list)
{
	if (!list)
		return;
	assert(list->refs > 0);
	if (--list->refs)
		return;
	struct name_list **at = name_table_bucket(list->table, list->digest);
	while (*at != list)
		at = &(*at)->next;
	*at = list->next;
	list->table->n--;
	free(list);
}

bool name_list_has(const struct name_list *list, const char *name)
{
	return list && bsearch(&name, list->v, list->n, sizeof *list->v, text_compare) != NULL;
}
