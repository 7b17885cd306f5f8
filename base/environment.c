#include "base/environment.h"

#include <stddef.h>
#include <string.h>

char *environment_get(char *const *environment, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; environment && environment[i]; i++) {
		if (!strncmp(environment[i], name, n) && environment[i][n] == '=' && environment[i][n + 1])
			return environment[i] + n + 1;
	}
	return NULL;
}
