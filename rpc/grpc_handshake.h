#pragma once
/*
 * TLS handshakes with clients that failed, counted, and why: gRPC ends the connection without a word to the client, and
 * its log says that a certificate was refused but not what was wrong with it.
 */
#include <stdint.h>

enum handshake_failure {
	HANDSHAKE_CERTIFICATE, /* the client's does not count: another root's, not in its time, not for clients, … */
	HANDSHAKE_PROTOCOL,    /* anything else: no TLS, no common version, … */
	HANDSHAKE_FAILURES,
};

void grpc_handshake_watch(void);            /* for the whole process, once */
void grpc_handshake_note(const char *line); /* what gRPC says: of other handshakes it is the only word */
const char *grpc_handshake_label(enum handshake_failure failure); /* lower_snake_case */
/* Of the whole process, by enum handshake_failure. */
void grpc_handshake_failures(uint64_t failures[HANDSHAKE_FAILURES]);
