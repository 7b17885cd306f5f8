#pragma once
/*
 * What this process uses and may use, as the kernel says.
 */
#include "base/error.h"

#include <stdint.h>

struct process_usage {
	uint64_t resident_bytes;
	double cpu_s; /* user and system */
	uint64_t open_fds, max_fds;
	double start_time_s; /* since 1970 */
};

void process_usage(struct process_usage *usage); /* 0 for what cannot be known */
/* Raises the soft limit of open files to the hard one: running out of descriptors kills a gRPC listener for good. */
bool process_raise_file_limit(struct error *error);
/* Gives memory that is free back to the kernel. */
void process_trim_memory(void);
