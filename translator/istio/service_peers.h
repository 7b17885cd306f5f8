#pragma once
/*
 * Who a service's endpoints are, as far as its clients' clusters read it: the accounts that they run as, and for each
 * port whether all of them take mutual TLS. Of its own digest, so that clusters follow it and an endpoint that comes or
 * goes without changing it costs them nothing.
 */
#include "translator/model.h"

/* Once the ports' endpoints are sealed; ports are the service's. */
void service_peers_resolve(struct arena *arena, struct service *service, struct service_port *ports);

/* Sorts in place and drops what is there twice. */
struct strings service_sort_names(const char **v, size_t n);
