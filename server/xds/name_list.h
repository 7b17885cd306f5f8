#pragma once
/*
 * Lists of resource names, as proxies subscribe to them: sorted, without duplicates, immutable, counted, and one copy
 * of each in a table, so that a thousand proxies that ask for the same thousand names hold one list, and "the same
 * list" is a pointer comparison. NULL is the empty list.
 *
 * One thread. The table must outlive its lists.
 */
#include "base/digest.h"
#include "translator/model.h"

struct name_table;

struct name_list {
	struct digest digest;
	size_t n;
	const char *const *v;
	size_t bytes;             /* of the names with their NULs */
	struct name_table *table; /* private */
	struct name_list *next;   /* private: of the same bucket */
	unsigned refs;            /* private */
};

struct name_table *name_table_new(void);
void name_table_free(struct name_table *table); /* all lists must be gone */
size_t name_table_count(const struct name_table *table);

/* The list of these names, in any order; NULL for none. A reference is the caller's. */
struct name_list *name_list_new(struct name_table *table, const char *const *names, size_t n);
/* (list without `less`) and `more`. */
struct name_list *name_list_change(struct name_table *table, struct name_list *list, struct name_list *more,
                                   const struct name_list *less);
struct name_list *name_list_ref(struct name_list *list); /* NULL is fine */
void name_list_unref(struct name_list *list);
bool name_list_has(const struct name_list *list, const char *name);
