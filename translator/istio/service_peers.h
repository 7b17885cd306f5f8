#pragma once
/*
 * Who a service's endpoints are, as far as its clients' clusters read it: the accounts that they run as, whether their
 * namespace lets clients use mutual TLS, and for each port whether all of them take it. Of its own digest, so that
 * clusters follow it and an endpoint that comes or goes without changing it costs them nothing.
 */
#include "translator/draft.h"

/* Once the ports' endpoints are sealed; ports are the service's. */
void service_peers_resolve(struct draft *draft, struct service *service, struct service_port *ports);

/* Sorts in place and drops what is there twice. */
struct strings service_sort_names(const char **v, size_t n);
