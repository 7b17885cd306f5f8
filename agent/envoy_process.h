#pragma once
/*
 * Envoy as a process of ours: started, told signals, waited for. It ends when the agent dies.
 */
#include "agent/agent_options.h"

#include <sys/types.h>

#define ENVOY_ARGUMENTS_MAX 128

/* As the socket's owner, when the agent is root and there is one. The pid, or -1: then there is no process. */
pid_t envoy_process_start(const struct agent_options *options, struct error *error);
/* The exit status of one that was waited for, as a shell has it: 128 and the signal for one that a signal ended. */
int envoy_process_exit_code(int wait_status);
