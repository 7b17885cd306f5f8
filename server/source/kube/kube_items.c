#include "server/source/kube/kube_items.h"

#include "base/heap.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare_items(const void *a, const void *b)
{
	return strcmp(((const struct kube_item *)a)->key, ((const struct kube_item *)b)->key);
}

static void item_free(void *p)
{
	struct kube_item *item = p;
	free(item->key);
	free(item->resource_version);
	free(item);
}

void kube_items_done(struct kube_items *items)
{
	tdestroy(items->tree, item_free);
	*items = (struct kube_items){0};
}

struct kube_item *kube_items_get(const struct kube_items *items, const char *key)
{
	struct kube_item wanted = {.key = (char *)(uintptr_t)key};
	struct kube_item *const *node = tfind(&wanted, &items->tree, compare_items);
	return node ? *node : NULL;
}

struct kube_item *kube_items_add(struct kube_items *items, const char *key)
{
	struct kube_item *item = kube_items_get(items, key);
	if (item)
		return item;
	item = HEAP_NEW(struct kube_item);
	item->key = heap_strdup(key);
	if (!tsearch(item, &items->tree, compare_items))
		heap_fail(sizeof *item);
	items->n++;
	return item;
}

void kube_items_remove(struct kube_items *items, const char *key)
{
	struct kube_item *item = kube_items_get(items, key);
	if (!item)
		return;
	tdelete(item, &items->tree, compare_items);
	item_free(item);
	items->n--;
}

void kube_item_set_version(struct kube_item *item, const char *resource_version)
{
	free(item->resource_version);
	item->resource_version = heap_strdup(resource_version);
}

struct walk {
	void (*visit)(void *context, const struct kube_item *item);
	void *context;
};

static void visit_node(const void *node, VISIT visit, void *closure)
{
	const struct walk *walk = closure;
	if (visit == postorder || visit == leaf) /* that is: in order */
		walk->visit(walk->context, *(struct kube_item *const *)node);
}

void kube_items_walk(const struct kube_items *items, void (*visit)(void *context, const struct kube_item *item),
                     void *context)
{
	struct walk walk = {.visit = visit, .context = context};
	twalk_r(items->tree, visit_node, &walk);
}
