#include "base/map.h"
#include "base/text.h"
#include "crds/check.h"
#include "crds/hostname.h"

#include <string.h>
#include <strings.h>

#define RESOLUTION(name) ISTIO__NETWORKING__V1ALPHA3__SERVICE_ENTRY__RESOLUTION__##name
#define LOCATION(name) ISTIO__NETWORKING__V1ALPHA3__SERVICE_ENTRY__LOCATION__##name

static const char label_waypoint[] = "istio.io/use-waypoint";
static const char label_auto_address[] = "networking.istio.io/enable-autoallocate-ip";

static bool is_dns(const istio_service_entry *entry)
{
	return entry->resolution == RESOLUTION(DNS) || entry->resolution == RESOLUTION(DNS_ROUND_ROBIN);
}

/* A selector that cannot select stops the check, as in Istio: what follows would only repeat it. */
static bool check_selector(struct check *check, const istio_service_entry *entry)
{
	const istio_networking_workload_selector *selector = entry->workload_selector;
	if (!selector)
		return true;
	bool had_error = check->has_error;
	check->has_error = false;
	check_enter(check, "workloadSelector");
	for (size_t i = 0; i < selector->n_labels; i++)
		check_selector_label(check, "labels", selector->labels[i]->key, selector->labels[i]->value);
	bool is_sound = !check->has_error;
	check->has_error |= had_error;
	if (is_sound && selector->n_labels == 0)
		check_warn(check, NULL, "has no labels, so it selects every workload of the namespace");
	check_leave(check);
	if (is_sound && entry->n_endpoints > 0)
		check_error(check, "endpoints", "only one of workloadSelector and endpoints is possible");
	if (is_sound && entry->resolution == RESOLUTION(NONE))
		check_warn(check, "workloadSelector", "has no effect with resolution NONE");
	return is_sound;
}

static void check_hosts(struct check *check, const istio_service_entry *entry)
{
	if (entry->n_hosts == 0)
		check_error(check, "hosts", "at least one host is required");
	for (size_t i = 0; i < entry->n_hosts; i++) {
		const char *host = entry->hosts[i];
		check_enter_at(check, "hosts", i);
		if (strcmp(host, "*") == 0)
			check_error(check, NULL, "\"*\" is not possible: a service entry needs names");
		else
			check_wildcard_host(check, NULL, host);
		if (host[0] == '*' && host[1] != '\0' && host[1] != '.')
			check_warn(check, NULL, "a partial wildcard such as \"%s\" is not supported everywhere", host);
		check_leave(check);
	}
}

static void check_addresses(struct check *check, const istio_service_entry *entry)
{
	bool takes_blocks = entry->resolution == RESOLUTION(NONE) || entry->resolution == RESOLUTION(STATIC);
	for (size_t i = 0; i < entry->n_addresses; i++) {
		check_enter_at(check, "addresses", i);
		check_ip_or_cidr(check, NULL, entry->addresses[i]);
		if (!takes_blocks && strchr(entry->addresses[i], '/'))
			check_error(check, NULL, "CIDR blocks are possible with resolution NONE or STATIC only");
		check_leave(check);
	}
	if (entry->n_addresses > 0 && entry->resolution == RESOLUTION(DYNAMIC_DNS))
		check_error(check, "addresses", "not possible with resolution DYNAMIC_DNS");
}

/* Whether the mesh gives the hosts addresses of its own when they have none. */
static bool has_auto_address(const struct check *check, const istio_service_entry *entry)
{
	const char *wish = object_label(check->object, label_auto_address);
	return entry->resolution != RESOLUTION(NONE) && !(wish && strcasecmp(wish, "false") == 0);
}

static void check_service_port(struct check *check, const istio_service_entry *entry, const istio_service_port *port)
{
	const struct check_protocol *protocol = check_protocol_find(port->protocol);
	check_port(check, "number", port->number);
	check_port_name(check, "name", port->name);
	if (!text_is_empty(port->protocol) && !protocol)
		check_error(check, "protocol", "protocol \"%s\" is not supported", port->protocol);
	if (port->target_port != 0)
		check_port(check, "targetPort", port->target_port);
	bool is_plain = text_is_empty(port->protocol) || strcmp(port->protocol, "TCP") == 0;
	if (is_plain && entry->n_addresses == 0 && !has_auto_address(check, entry))
		check_warn(check, NULL, "a TCP port without addresses of the entry matches any destination");
	bool is_routable = protocol && (protocol->is_http || protocol->is_tls);
	if (entry->resolution != RESOLUTION(NONE) && entry->n_hosts > 1 && !is_routable)
		check_error(check, "protocol", "several hosts need HTTP or TLS, so that they can be told apart");
	if (entry->resolution == RESOLUTION(DYNAMIC_DNS) && !is_routable)
		check_error(check, "protocol", "resolution DYNAMIC_DNS needs HTTP or TLS, so that the host is known");
	if (is_dns(entry) && entry->n_addresses > 0 && entry->n_hosts > 1 && protocol && protocol->is_tcp)
		check_warn(check, NULL, "several hosts share the addresses of a TCP port");
}

/* *names: the ports by name. */
static void check_ports(struct check *check, const istio_service_entry *entry, struct map *names)
{
	struct map numbers = {0};
	for (size_t i = 0; i < entry->n_ports; i++) {
		const istio_service_port *port = entry->ports[i];
		const char *number = arena_printf(check->arena, "%u", port->number);
		check_enter_at(check, "ports", i);
		if (map_put(check->arena, names, port->name, entry->ports[i]))
			check_error(check, "name", "port name \"%s\" is already taken", port->name);
		if (map_put(check->arena, &numbers, number, entry->ports[i]))
			check_error(check, "number", "port %u is already defined", port->number);
		check_service_port(check, entry, port);
		check_leave(check);
	}
}

static void check_resolution(struct check *check, const istio_service_entry *entry)
{
	struct error error;
	for (size_t i = 0; is_dns(entry) && entry->n_endpoints == 0 && i < entry->n_hosts; i++) {
		check_enter_at(check, "hosts", i);
		if (!hostname_check_fqdn(entry->hosts[i], &error))
			check_error(check, NULL, "resolution by DNS without endpoints needs a whole host name");
		check_leave(check);
	}
	if (entry->resolution == RESOLUTION(DNS_ROUND_ROBIN) && entry->n_endpoints > 1)
		check_error(check, "endpoints", "resolution DNS_ROUND_ROBIN takes at most one endpoint, not %zu",
		            entry->n_endpoints);
	if (entry->resolution == RESOLUTION(NONE) && entry->n_endpoints > 0)
		check_error(check, "endpoints", "not possible with resolution NONE");
	if (entry->resolution != RESOLUTION(DYNAMIC_DNS))
		return;
	for (size_t i = 0; i < entry->n_hosts; i++) {
		check_enter_at(check, "hosts", i);
		if (entry->hosts[i][0] != '*')
			check_error(check, NULL, "resolution DYNAMIC_DNS is for wildcard hosts only");
		check_leave(check);
	}
	if (entry->n_endpoints > 0)
		check_warn(check, "endpoints", "have no effect with resolution DYNAMIC_DNS");
	const char *waypoint = object_label(check->object, label_waypoint);
	if (entry->location == LOCATION(MESH_INTERNAL) && !text_is_empty(waypoint))
		check_error(check, "location",
		            "MESH_INTERNAL with resolution DYNAMIC_DNS is not possible at a waypoint");
}

static void check_dns_endpoint(struct check *check, const istio_workload_entry *endpoint,
                               const struct map *service_ports)
{
	if (text_has_prefix(endpoint->address, CHECK_UNIX_PREFIX))
		check_error(check, "address", "a Unix socket needs resolution STATIC");
	else if (text_is_empty(endpoint->address))
		check_error(check, "address", "an IP address or a host name is required");
	else
		check_workload_entry_of(check, endpoint, service_ports, true);
}

static void check_entry_endpoints(struct check *check, const istio_service_entry *entry,
                                  const struct map *service_ports)
{
	for (size_t i = 0; i < entry->n_endpoints; i++) {
		check_enter_at(check, "endpoints", i);
		if (is_dns(entry))
			check_dns_endpoint(check, entry->endpoints[i], service_ports);
		else if (entry->resolution == RESOLUTION(STATIC))
			check_workload_entry_of(check, entry->endpoints[i], service_ports, false);
		check_leave(check);
	}
}

void check_service_entry(struct check *check, const ProtobufCMessage *message)
{
	const istio_service_entry *entry = (const istio_service_entry *)message;
	if (!check_selector(check, entry))
		return;
	check_hosts(check, entry);
	check_addresses(check, entry);
	struct map service_ports = {0};
	check_ports(check, entry, &service_ports);
	check_resolution(check, entry);
	check_entry_endpoints(check, entry, &service_ports);
	struct check_export_to export_to = {.values = entry->export_to, .n = entry->n_export_to, .may_be_none = true};
	check_export_to(check, &export_to);
}
