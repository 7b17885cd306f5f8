#pragma once
/*
 * gRPC core's own log, which would go to standard error as it likes: errors become lines of ours, a few at a time. It
 * is also the only place where core says that its listener died (see grpc_transport.h).
 */
#include <stdint.h>

void grpc_log_install(void); /* for the whole process */
uint64_t grpc_log_accept_failures(void);
