#pragma once
/*
 * Environment variables as a value: pass environ(7), or an array of a test's own.
 */

/* The value of the variable, in place; NULL when it is absent or empty. environment: "NAME=value" strings up to NULL;
 * may be NULL. */
char *environment_get(char *const *environment, const char *name);
