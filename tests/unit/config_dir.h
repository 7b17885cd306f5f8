#pragma once
/*
 * A temporary folder of configuration for tests of what watches one. Files are replaced by rename, as people's tools
 * do.
 */
#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct config_dir {
	char path[64];
};

__attribute__((unused)) static void config_dir_init(struct config_dir *dir)
{
	strcpy(dir->path, "/tmp/weft-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir->path));
}

__attribute__((unused)) static void config_dir_write(const struct config_dir *dir, const char *name,
                                                     const char *content)
{
	char draft[256], path[256];
	snprintf(draft, sizeof draft, "%s/.%s", dir->path, name);
	snprintf(path, sizeof path, "%s/%s", dir->path, name);
	FILE *file = fopen(draft, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(content, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(rename(draft, path), 0);
}

__attribute__((unused)) static void config_dir_remove(const struct config_dir *dir, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", dir->path, name);
	ck_assert_int_eq(unlink(path), 0);
}

static int config_dir_drop(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	return remove(path);
}

__attribute__((unused)) static void config_dir_done(const struct config_dir *dir)
{
	nftw(dir->path, config_dir_drop, 8, FTW_DEPTH | FTW_PHYS);
}
