#include "base/text.h"
#include "crds/check.h"
#include "crds/hostname.h"

#include <string.h>

static void check_ports(struct check *check, const istio_workload_entry *entry, const struct map *service_ports)
{
	for (size_t i = 0; i < entry->n_ports; i++) {
		const char *name = entry->ports[i]->key;
		check_enter_key(check, "ports", name);
		if (service_ports && !map_has(service_ports, name))
			check_error(check, NULL, "port \"%s\" is not one of the service entry's ports", name);
		check_port_name(check, NULL, name);
		check_port(check, NULL, entry->ports[i]->value);
		check_leave(check);
	}
}

static void check_unix_entry(struct check *check, const istio_workload_entry *entry, const struct map *service_ports)
{
	check_unix_address(check, "address", entry->address + strlen(CHECK_UNIX_PREFIX));
	if (entry->n_ports > 0)
		check_error(check, "ports", "a Unix socket has no ports");
	if (service_ports && service_ports->n != 1)
		check_error(check, "address", "a Unix socket needs a service entry with exactly one port, it has %zu",
		            service_ports->n);
}

/* False when nothing else need be said. */
static bool check_address(struct check *check, const istio_workload_entry *entry, const struct map *service_ports,
                          bool may_be_host)
{
	struct error error;
	const char *address = entry->address;
	if (text_is_empty(address) && text_is_empty(entry->network)) {
		check_error(check, "address", "an address is required");
		return false;
	}
	if (text_is_empty(address))
		check_warn(check, "address", "no address: it is reached by the gateways of network \"%s\"",
		           entry->network);
	else if (text_has_prefix(address, CHECK_UNIX_PREFIX))
		check_unix_entry(check, entry, service_ports);
	else if (!hostname_is_ip(address) && !may_be_host)
		check_error(check, "address", "\"%s\" is not an IP address", address);
	else if (!hostname_is_ip(address) && !hostname_check_fqdn(address, &error))
		check_error(check, "address", "\"%s\" is neither an IP address nor a host name", address);
	return true;
}

void check_workload_entry_of(struct check *check, const istio_workload_entry *entry, const struct map *service_ports,
                             bool may_be_host)
{
	if (!check_address(check, entry, service_ports, may_be_host))
		return;
	check_ports(check, entry, service_ports);
	CHECK_LABELS(check, "labels", entry, labels);
}

void check_workload_entry(struct check *check, const ProtobufCMessage *message)
{
	check_workload_entry_of(check, (const istio_workload_entry *)message, NULL, true);
}
