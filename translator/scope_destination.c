#include "translator/scope.h"

/* An alias may stand for an alias; a ring of them ends here. */
#define ALIAS_STEPS_MAX 8

static uint32_t choose_port(const struct destination *destination, const struct scope_service *service,
                            uint32_t listener_port)
{
	if (destination->port)
		return destination->port;
	if (service && service->service->n_ports == 1)
		return service->service->ports[0].number;
	return listener_port;
}

const struct scope_service *scope_destination(const struct scope *scope, const struct destination *destination,
                                              uint32_t listener_port, uint32_t *port)
{
	const struct scope_service *found = map_get(&scope->services_by_host, destination->host);
	*port = choose_port(destination, found, listener_port);
	for (int i = 0; found && found->service->resolution == SERVICE_ALIAS; i++) {
		if (i == ALIAS_STEPS_MAX)
			return NULL;
		found = map_get(&scope->services_by_host, found->service->alias);
	}
	return found;
}
