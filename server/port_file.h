#pragma once
/*
 * The file that says which ports weftd has and which process it is, for scripts that let the system choose:
 *
 *     {"xds":15010,"tls":15012,"admin":15014,"pid":1}
 */
#include "base/error.h"

#include <stdbool.h>

struct port_file {
	unsigned xds, tls, admin; /* tls: 0 is none */
};

/* By way of a rename: whoever sees the file sees all of it. */
bool port_file_write(const char *path, const struct port_file *ports, struct error *error);
