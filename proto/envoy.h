#pragma once
/*
 * Short names for the Envoy and xDS messages in this folder: `envoy_cluster` for
 * Envoy__Config__Cluster__V3__Cluster, and so on (see alias.h for what each name brings).
 * A new message: add it to its .proto by upstream's package and number, then one line here.
 */
#include "proto/alias.h"

#include "envoy/config/accesslog/v3/accesslog.pb-c.h"
#include "envoy/config/cluster/v3/circuit_breaker.pb-c.h"
#include "envoy/config/cluster/v3/cluster.pb-c.h"
#include "envoy/config/cluster/v3/outlier_detection.pb-c.h"
#include "envoy/config/core/v3/address.pb-c.h"
#include "envoy/config/core/v3/base.pb-c.h"
#include "envoy/config/core/v3/config_source.pb-c.h"
#include "envoy/config/core/v3/extension.pb-c.h"
#include "envoy/config/core/v3/grpc_service.pb-c.h"
#include "envoy/config/core/v3/health_check.pb-c.h"
#include "envoy/config/core/v3/http_uri.pb-c.h"
#include "envoy/config/core/v3/protocol.pb-c.h"
#include "envoy/config/core/v3/substitution_format_string.pb-c.h"
#include "envoy/config/endpoint/v3/endpoint.pb-c.h"
#include "envoy/config/endpoint/v3/endpoint_components.pb-c.h"
#include "envoy/config/listener/v3/listener.pb-c.h"
#include "envoy/config/listener/v3/listener_components.pb-c.h"
#include "envoy/config/rbac/v3/rbac.pb-c.h"
#include "envoy/config/route/v3/route.pb-c.h"
#include "envoy/config/route/v3/route_components.pb-c.h"
#include "envoy/extensions/access_loggers/file/v3/file.pb-c.h"
#include "envoy/extensions/access_loggers/filters/cel/v3/cel.pb-c.h"
#include "envoy/extensions/access_loggers/stream/v3/stream.pb-c.h"
#include "envoy/extensions/filters/common/fault/v3/fault.pb-c.h"
#include "envoy/extensions/filters/common/set_filter_state/v3/value.pb-c.h"
#include "envoy/extensions/filters/http/cors/v3/cors.pb-c.h"
#include "envoy/extensions/filters/http/ext_authz/v3/ext_authz.pb-c.h"
#include "envoy/extensions/filters/http/fault/v3/fault.pb-c.h"
#include "envoy/extensions/filters/http/grpc_stats/v3/config.pb-c.h"
#include "envoy/extensions/filters/http/grpc_web/v3/grpc_web.pb-c.h"
#include "envoy/extensions/filters/http/jwt_authn/v3/config.pb-c.h"
#include "envoy/extensions/filters/http/rbac/v3/rbac.pb-c.h"
#include "envoy/extensions/filters/http/router/v3/router.pb-c.h"
#include "envoy/extensions/filters/http/set_filter_state/v3/set_filter_state.pb-c.h"
#include "envoy/extensions/filters/listener/http_inspector/v3/http_inspector.pb-c.h"
#include "envoy/extensions/filters/listener/original_dst/v3/original_dst.pb-c.h"
#include "envoy/extensions/filters/listener/original_src/v3/original_src.pb-c.h"
#include "envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.pb-c.h"
#include "envoy/extensions/filters/network/ext_authz/v3/ext_authz.pb-c.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb-c.h"
#include "envoy/extensions/filters/network/rbac/v3/rbac.pb-c.h"
#include "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb-c.h"
#include "envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver.pb-c.h"
#include "envoy/extensions/path/match/uri_template/v3/uri_template_match.pb-c.h"
#include "envoy/extensions/request_id/uuid/v3/uuid.pb-c.h"
#include "envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.pb-c.h"
#include "envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config.pb-c.h"
#include "envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.pb-c.h"
#include "envoy/extensions/transport_sockets/tls/v3/common.pb-c.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb-c.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb-c.h"
#include "envoy/extensions/upstreams/http/v3/http_protocol_options.pb-c.h"
#include "envoy/service/discovery/v3/discovery.pb-c.h"
#include "envoy/type/matcher/v3/metadata.pb-c.h"
#include "envoy/type/matcher/v3/path.pb-c.h"
#include "envoy/type/matcher/v3/regex.pb-c.h"
#include "envoy/type/matcher/v3/string.pb-c.h"
#include "envoy/type/matcher/v3/value.pb-c.h"
#include "envoy/type/v3/http_status.pb-c.h"
#include "envoy/type/v3/percent.pb-c.h"
#include "envoy/type/v3/range.pb-c.h"

PROTO_ALIAS(envoy_access_log, Envoy__Config__Accesslog__V3__AccessLog, envoy__config__accesslog__v3__access_log)
PROTO_ALIAS(envoy_access_log_filter, Envoy__Config__Accesslog__V3__AccessLogFilter,
            envoy__config__accesslog__v3__access_log_filter)
PROTO_ALIAS(envoy_access_log_or_filter, Envoy__Config__Accesslog__V3__OrFilter, envoy__config__accesslog__v3__or_filter)
PROTO_ALIAS(envoy_access_log_metadata_filter, Envoy__Config__Accesslog__V3__MetadataFilter,
            envoy__config__accesslog__v3__metadata_filter)
PROTO_ALIAS(envoy_access_log_extension_filter, Envoy__Config__Accesslog__V3__ExtensionFilter,
            envoy__config__accesslog__v3__extension_filter)
PROTO_ALIAS(envoy_response_flag_filter, Envoy__Config__Accesslog__V3__ResponseFlagFilter,
            envoy__config__accesslog__v3__response_flag_filter)
PROTO_ALIAS(envoy_circuit_breakers, Envoy__Config__Cluster__V3__CircuitBreakers,
            envoy__config__cluster__v3__circuit_breakers)
PROTO_ALIAS(envoy_circuit_breakers_thresholds, Envoy__Config__Cluster__V3__CircuitBreakers__Thresholds,
            envoy__config__cluster__v3__circuit_breakers__thresholds)
PROTO_ALIAS(envoy_cluster, Envoy__Config__Cluster__V3__Cluster, envoy__config__cluster__v3__cluster)
PROTO_ALIAS(envoy_cluster_transport_socket_match, Envoy__Config__Cluster__V3__Cluster__TransportSocketMatch,
            envoy__config__cluster__v3__cluster__transport_socket_match)
PROTO_ALIAS(envoy_cluster_common_lb_config, Envoy__Config__Cluster__V3__Cluster__CommonLbConfig,
            envoy__config__cluster__v3__cluster__common_lb_config)
PROTO_ALIAS(envoy_cluster_common_lb_config_locality_weighted_lb_config,
            Envoy__Config__Cluster__V3__Cluster__CommonLbConfig__LocalityWeightedLbConfig,
            envoy__config__cluster__v3__cluster__common_lb_config__locality_weighted_lb_config)
PROTO_ALIAS(envoy_cluster_eds_cluster_config, Envoy__Config__Cluster__V3__Cluster__EdsClusterConfig,
            envoy__config__cluster__v3__cluster__eds_cluster_config)
PROTO_ALIAS(envoy_cluster_least_request_lb_config, Envoy__Config__Cluster__V3__Cluster__LeastRequestLbConfig,
            envoy__config__cluster__v3__cluster__least_request_lb_config)
PROTO_ALIAS(envoy_cluster_maglev_lb_config, Envoy__Config__Cluster__V3__Cluster__MaglevLbConfig,
            envoy__config__cluster__v3__cluster__maglev_lb_config)
PROTO_ALIAS(envoy_cluster_ring_hash_lb_config, Envoy__Config__Cluster__V3__Cluster__RingHashLbConfig,
            envoy__config__cluster__v3__cluster__ring_hash_lb_config)
PROTO_ALIAS(envoy_cluster_round_robin_lb_config, Envoy__Config__Cluster__V3__Cluster__RoundRobinLbConfig,
            envoy__config__cluster__v3__cluster__round_robin_lb_config)
PROTO_ALIAS(envoy_cluster_slow_start_config, Envoy__Config__Cluster__V3__Cluster__SlowStartConfig,
            envoy__config__cluster__v3__cluster__slow_start_config)
PROTO_ALIAS(envoy_upstream_connection_options, Envoy__Config__Cluster__V3__UpstreamConnectionOptions,
            envoy__config__cluster__v3__upstream_connection_options)
PROTO_ALIAS(envoy_outlier_detection, Envoy__Config__Cluster__V3__OutlierDetection,
            envoy__config__cluster__v3__outlier_detection)
PROTO_ALIAS(envoy_address, Envoy__Config__Core__V3__Address, envoy__config__core__v3__address)
PROTO_ALIAS(envoy_bind_config, Envoy__Config__Core__V3__BindConfig, envoy__config__core__v3__bind_config)
PROTO_ALIAS(envoy_cidr_range, Envoy__Config__Core__V3__CidrRange, envoy__config__core__v3__cidr_range)
PROTO_ALIAS(envoy_extra_source_address, Envoy__Config__Core__V3__ExtraSourceAddress,
            envoy__config__core__v3__extra_source_address)
PROTO_ALIAS(envoy_pipe, Envoy__Config__Core__V3__Pipe, envoy__config__core__v3__pipe)
PROTO_ALIAS(envoy_socket_address, Envoy__Config__Core__V3__SocketAddress, envoy__config__core__v3__socket_address)
PROTO_ALIAS(envoy_tcp_keepalive, Envoy__Config__Core__V3__TcpKeepalive, envoy__config__core__v3__tcp_keepalive)
PROTO_ALIAS(envoy_data_source, Envoy__Config__Core__V3__DataSource, envoy__config__core__v3__data_source)
PROTO_ALIAS(envoy_header_value, Envoy__Config__Core__V3__HeaderValue, envoy__config__core__v3__header_value)
PROTO_ALIAS(envoy_header_value_option, Envoy__Config__Core__V3__HeaderValueOption,
            envoy__config__core__v3__header_value_option)
PROTO_ALIAS(envoy_locality, Envoy__Config__Core__V3__Locality, envoy__config__core__v3__locality)
PROTO_ALIAS(envoy_metadata, Envoy__Config__Core__V3__Metadata, envoy__config__core__v3__metadata)
PROTO_ALIAS(envoy_node, Envoy__Config__Core__V3__Node, envoy__config__core__v3__node)
PROTO_ALIAS(envoy_runtime_double, Envoy__Config__Core__V3__RuntimeDouble, envoy__config__core__v3__runtime_double)
PROTO_ALIAS(envoy_runtime_fractional_percent, Envoy__Config__Core__V3__RuntimeFractionalPercent,
            envoy__config__core__v3__runtime_fractional_percent)
PROTO_ALIAS(envoy_watched_directory, Envoy__Config__Core__V3__WatchedDirectory,
            envoy__config__core__v3__watched_directory)
PROTO_ALIAS(envoy_transport_socket, Envoy__Config__Core__V3__TransportSocket, envoy__config__core__v3__transport_socket)
PROTO_ALIAS(envoy_aggregated_config_source, Envoy__Config__Core__V3__AggregatedConfigSource,
            envoy__config__core__v3__aggregated_config_source)
PROTO_ALIAS(envoy_api_config_source, Envoy__Config__Core__V3__ApiConfigSource,
            envoy__config__core__v3__api_config_source)
PROTO_ALIAS(envoy_config_source, Envoy__Config__Core__V3__ConfigSource, envoy__config__core__v3__config_source)
PROTO_ALIAS(envoy_typed_extension_config, Envoy__Config__Core__V3__TypedExtensionConfig,
            envoy__config__core__v3__typed_extension_config)
PROTO_ALIAS(envoy_grpc_service, Envoy__Config__Core__V3__GrpcService, envoy__config__core__v3__grpc_service)
PROTO_ALIAS(envoy_grpc_service_envoy_grpc, Envoy__Config__Core__V3__GrpcService__EnvoyGrpc,
            envoy__config__core__v3__grpc_service__envoy_grpc)
PROTO_ALIAS(envoy_http_uri, Envoy__Config__Core__V3__HttpUri, envoy__config__core__v3__http_uri)
PROTO_ALIAS(envoy_core_http_protocol_options, Envoy__Config__Core__V3__HttpProtocolOptions,
            envoy__config__core__v3__http_protocol_options)
PROTO_ALIAS(envoy_http1_protocol_options, Envoy__Config__Core__V3__Http1ProtocolOptions,
            envoy__config__core__v3__http1_protocol_options)
PROTO_ALIAS(envoy_http2_protocol_options, Envoy__Config__Core__V3__Http2ProtocolOptions,
            envoy__config__core__v3__http2_protocol_options)
PROTO_ALIAS(envoy_upstream_http_protocol_options, Envoy__Config__Core__V3__UpstreamHttpProtocolOptions,
            envoy__config__core__v3__upstream_http_protocol_options)
PROTO_ALIAS(envoy_substitution_format_string, Envoy__Config__Core__V3__SubstitutionFormatString,
            envoy__config__core__v3__substitution_format_string)
PROTO_ALIAS(envoy_cluster_load_assignment, Envoy__Config__Endpoint__V3__ClusterLoadAssignment,
            envoy__config__endpoint__v3__cluster_load_assignment)
PROTO_ALIAS(envoy_cluster_load_assignment_policy, Envoy__Config__Endpoint__V3__ClusterLoadAssignment__Policy,
            envoy__config__endpoint__v3__cluster_load_assignment__policy)
PROTO_ALIAS(envoy_endpoint, Envoy__Config__Endpoint__V3__Endpoint, envoy__config__endpoint__v3__endpoint)
PROTO_ALIAS(envoy_lb_endpoint, Envoy__Config__Endpoint__V3__LbEndpoint, envoy__config__endpoint__v3__lb_endpoint)
PROTO_ALIAS(envoy_locality_lb_endpoints, Envoy__Config__Endpoint__V3__LocalityLbEndpoints,
            envoy__config__endpoint__v3__locality_lb_endpoints)
PROTO_ALIAS(envoy_additional_address, Envoy__Config__Listener__V3__AdditionalAddress,
            envoy__config__listener__v3__additional_address)
PROTO_ALIAS(envoy_listener, Envoy__Config__Listener__V3__Listener, envoy__config__listener__v3__listener)
PROTO_ALIAS(envoy_listener_connection_balance_config, Envoy__Config__Listener__V3__Listener__ConnectionBalanceConfig,
            envoy__config__listener__v3__listener__connection_balance_config)
PROTO_ALIAS(envoy_listener_connection_balance_config_exact_balance,
            Envoy__Config__Listener__V3__Listener__ConnectionBalanceConfig__ExactBalance,
            envoy__config__listener__v3__listener__connection_balance_config__exact_balance)
PROTO_ALIAS(envoy_filter, Envoy__Config__Listener__V3__Filter, envoy__config__listener__v3__filter)
PROTO_ALIAS(envoy_filter_chain, Envoy__Config__Listener__V3__FilterChain, envoy__config__listener__v3__filter_chain)
PROTO_ALIAS(envoy_filter_chain_match, Envoy__Config__Listener__V3__FilterChainMatch,
            envoy__config__listener__v3__filter_chain_match)
PROTO_ALIAS(envoy_listener_filter, Envoy__Config__Listener__V3__ListenerFilter,
            envoy__config__listener__v3__listener_filter)
PROTO_ALIAS(envoy_listener_filter_chain_match_predicate, Envoy__Config__Listener__V3__ListenerFilterChainMatchPredicate,
            envoy__config__listener__v3__listener_filter_chain_match_predicate)
PROTO_ALIAS(envoy_listener_filter_chain_match_predicate_match_set,
            Envoy__Config__Listener__V3__ListenerFilterChainMatchPredicate__MatchSet,
            envoy__config__listener__v3__listener_filter_chain_match_predicate__match_set)
PROTO_ALIAS(envoy_route_configuration, Envoy__Config__Route__V3__RouteConfiguration,
            envoy__config__route__v3__route_configuration)
PROTO_ALIAS(envoy_vhds, Envoy__Config__Route__V3__Vhds, envoy__config__route__v3__vhds)
PROTO_ALIAS(envoy_decorator, Envoy__Config__Route__V3__Decorator, envoy__config__route__v3__decorator)
PROTO_ALIAS(envoy_direct_response_action, Envoy__Config__Route__V3__DirectResponseAction,
            envoy__config__route__v3__direct_response_action)
PROTO_ALIAS(envoy_header_matcher, Envoy__Config__Route__V3__HeaderMatcher, envoy__config__route__v3__header_matcher)
PROTO_ALIAS(envoy_query_parameter_matcher, Envoy__Config__Route__V3__QueryParameterMatcher,
            envoy__config__route__v3__query_parameter_matcher)
PROTO_ALIAS(envoy_redirect_action, Envoy__Config__Route__V3__RedirectAction, envoy__config__route__v3__redirect_action)
PROTO_ALIAS(envoy_retry_policy, Envoy__Config__Route__V3__RetryPolicy, envoy__config__route__v3__retry_policy)
PROTO_ALIAS(envoy_retry_policy_retry_back_off, Envoy__Config__Route__V3__RetryPolicy__RetryBackOff,
            envoy__config__route__v3__retry_policy__retry_back_off)
PROTO_ALIAS(envoy_retry_policy_retry_host_predicate, Envoy__Config__Route__V3__RetryPolicy__RetryHostPredicate,
            envoy__config__route__v3__retry_policy__retry_host_predicate)
PROTO_ALIAS(envoy_retry_policy_retry_priority, Envoy__Config__Route__V3__RetryPolicy__RetryPriority,
            envoy__config__route__v3__retry_policy__retry_priority)
PROTO_ALIAS(envoy_route, Envoy__Config__Route__V3__Route, envoy__config__route__v3__route)
PROTO_ALIAS(envoy_route_action, Envoy__Config__Route__V3__RouteAction, envoy__config__route__v3__route_action)
PROTO_ALIAS(envoy_route_action_hash_policy, Envoy__Config__Route__V3__RouteAction__HashPolicy,
            envoy__config__route__v3__route_action__hash_policy)
PROTO_ALIAS(envoy_route_action_hash_policy_connection_properties,
            Envoy__Config__Route__V3__RouteAction__HashPolicy__ConnectionProperties,
            envoy__config__route__v3__route_action__hash_policy__connection_properties)
PROTO_ALIAS(envoy_route_action_hash_policy_cookie, Envoy__Config__Route__V3__RouteAction__HashPolicy__Cookie,
            envoy__config__route__v3__route_action__hash_policy__cookie)
PROTO_ALIAS(envoy_route_action_hash_policy_cookie_attribute,
            Envoy__Config__Route__V3__RouteAction__HashPolicy__CookieAttribute,
            envoy__config__route__v3__route_action__hash_policy__cookie_attribute)
PROTO_ALIAS(envoy_route_action_hash_policy_header, Envoy__Config__Route__V3__RouteAction__HashPolicy__Header,
            envoy__config__route__v3__route_action__hash_policy__header)
PROTO_ALIAS(envoy_route_action_hash_policy_query_parameter,
            Envoy__Config__Route__V3__RouteAction__HashPolicy__QueryParameter,
            envoy__config__route__v3__route_action__hash_policy__query_parameter)
PROTO_ALIAS(envoy_route_action_max_stream_duration, Envoy__Config__Route__V3__RouteAction__MaxStreamDuration,
            envoy__config__route__v3__route_action__max_stream_duration)
PROTO_ALIAS(envoy_route_action_request_mirror_policy, Envoy__Config__Route__V3__RouteAction__RequestMirrorPolicy,
            envoy__config__route__v3__route_action__request_mirror_policy)
PROTO_ALIAS(envoy_route_action_upgrade_config, Envoy__Config__Route__V3__RouteAction__UpgradeConfig,
            envoy__config__route__v3__route_action__upgrade_config)
PROTO_ALIAS(envoy_route_match, Envoy__Config__Route__V3__RouteMatch, envoy__config__route__v3__route_match)
PROTO_ALIAS(envoy_route_match_connect_matcher, Envoy__Config__Route__V3__RouteMatch__ConnectMatcher,
            envoy__config__route__v3__route_match__connect_matcher)
PROTO_ALIAS(envoy_virtual_host, Envoy__Config__Route__V3__VirtualHost, envoy__config__route__v3__virtual_host)
PROTO_ALIAS(envoy_weighted_cluster, Envoy__Config__Route__V3__WeightedCluster,
            envoy__config__route__v3__weighted_cluster)
PROTO_ALIAS(envoy_weighted_cluster_cluster_weight, Envoy__Config__Route__V3__WeightedCluster__ClusterWeight,
            envoy__config__route__v3__weighted_cluster__cluster_weight)
PROTO_ALIAS(envoy_file_access_log, Envoy__Extensions__AccessLoggers__File__V3__FileAccessLog,
            envoy__extensions__access_loggers__file__v3__file_access_log)
PROTO_ALIAS(envoy_access_log_expression_filter, Envoy__Extensions__AccessLoggers__Filters__Cel__V3__ExpressionFilter,
            envoy__extensions__access_loggers__filters__cel__v3__expression_filter)
PROTO_ALIAS(envoy_stdout_access_log, Envoy__Extensions__AccessLoggers__Stream__V3__StdoutAccessLog,
            envoy__extensions__access_loggers__stream__v3__stdout_access_log)
PROTO_ALIAS(envoy_fault_delay, Envoy__Extensions__Filters__Common__Fault__V3__FaultDelay,
            envoy__extensions__filters__common__fault__v3__fault_delay)
PROTO_ALIAS(envoy_cors, Envoy__Extensions__Filters__Http__Cors__V3__Cors,
            envoy__extensions__filters__http__cors__v3__cors)
PROTO_ALIAS(envoy_cors_policy, Envoy__Extensions__Filters__Http__Cors__V3__CorsPolicy,
            envoy__extensions__filters__http__cors__v3__cors_policy)
PROTO_ALIAS(envoy_fault_abort, Envoy__Extensions__Filters__Http__Fault__V3__FaultAbort,
            envoy__extensions__filters__http__fault__v3__fault_abort)
PROTO_ALIAS(envoy_http_fault, Envoy__Extensions__Filters__Http__Fault__V3__HTTPFault,
            envoy__extensions__filters__http__fault__v3__httpfault)
PROTO_ALIAS(envoy_filter_state_value, Envoy__Extensions__Filters__Common__SetFilterState__V3__FilterStateValue,
            envoy__extensions__filters__common__set_filter_state__v3__filter_state_value)
PROTO_ALIAS(envoy_set_filter_state, Envoy__Extensions__Filters__Http__SetFilterState__V3__Config,
            envoy__extensions__filters__http__set_filter_state__v3__config)
PROTO_ALIAS(envoy_grpc_stats, Envoy__Extensions__Filters__Http__GrpcStats__V3__FilterConfig,
            envoy__extensions__filters__http__grpc_stats__v3__filter_config)
PROTO_ALIAS(envoy_grpc_web, Envoy__Extensions__Filters__Http__GrpcWeb__V3__GrpcWeb,
            envoy__extensions__filters__http__grpc_web__v3__grpc_web)
PROTO_ALIAS(envoy_router, Envoy__Extensions__Filters__Http__Router__V3__Router,
            envoy__extensions__filters__http__router__v3__router)
PROTO_ALIAS(envoy_http_inspector, Envoy__Extensions__Filters__Listener__HttpInspector__V3__HttpInspector,
            envoy__extensions__filters__listener__http_inspector__v3__http_inspector)
PROTO_ALIAS(envoy_original_dst, Envoy__Extensions__Filters__Listener__OriginalDst__V3__OriginalDst,
            envoy__extensions__filters__listener__original_dst__v3__original_dst)
PROTO_ALIAS(envoy_original_src, Envoy__Extensions__Filters__Listener__OriginalSrc__V3__OriginalSrc,
            envoy__extensions__filters__listener__original_src__v3__original_src)
PROTO_ALIAS(envoy_tls_inspector, Envoy__Extensions__Filters__Listener__TlsInspector__V3__TlsInspector,
            envoy__extensions__filters__listener__tls_inspector__v3__tls_inspector)
PROTO_ALIAS(envoy_http_connection_manager,
            Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager,
            envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager)
PROTO_ALIAS(
    envoy_http_connection_manager_set_current_client_cert_details,
    Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager__SetCurrentClientCertDetails,
    envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager__set_current_client_cert_details)
PROTO_ALIAS(envoy_http_connection_manager_tracing,
            Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager__Tracing,
            envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager__tracing)
PROTO_ALIAS(envoy_http_connection_manager_upgrade_config,
            Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager__UpgradeConfig,
            envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager__upgrade_config)
PROTO_ALIAS(envoy_http_filter, Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpFilter,
            envoy__extensions__filters__network__http_connection_manager__v3__http_filter)
PROTO_ALIAS(envoy_rds, Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__Rds,
            envoy__extensions__filters__network__http_connection_manager__v3__rds)
PROTO_ALIAS(envoy_request_id_extension,
            Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__RequestIDExtension,
            envoy__extensions__filters__network__http_connection_manager__v3__request_idextension)
PROTO_ALIAS(envoy_tcp_proxy, Envoy__Extensions__Filters__Network__TcpProxy__V3__TcpProxy,
            envoy__extensions__filters__network__tcp_proxy__v3__tcp_proxy)
PROTO_ALIAS(envoy_tcp_proxy_weighted_cluster,
            Envoy__Extensions__Filters__Network__TcpProxy__V3__TcpProxy__WeightedCluster,
            envoy__extensions__filters__network__tcp_proxy__v3__tcp_proxy__weighted_cluster)
PROTO_ALIAS(envoy_tcp_proxy_weighted_cluster_cluster_weight,
            Envoy__Extensions__Filters__Network__TcpProxy__V3__TcpProxy__WeightedCluster__ClusterWeight,
            envoy__extensions__filters__network__tcp_proxy__v3__tcp_proxy__weighted_cluster__cluster_weight)
PROTO_ALIAS(envoy_uuid_request_id_config, Envoy__Extensions__RequestId__Uuid__V3__UuidRequestIdConfig,
            envoy__extensions__request_id__uuid__v3__uuid_request_id_config)
PROTO_ALIAS(envoy_cares_dns_resolver_config, Envoy__Extensions__Network__DnsResolver__Cares__V3__CaresDnsResolverConfig,
            envoy__extensions__network__dns_resolver__cares__v3__cares_dns_resolver_config)
PROTO_ALIAS(envoy_previous_hosts_predicate, Envoy__Extensions__Retry__Host__PreviousHosts__V3__PreviousHostsPredicate,
            envoy__extensions__retry__host__previous_hosts__v3__previous_hosts_predicate)
PROTO_ALIAS(envoy_previous_priorities_config,
            Envoy__Extensions__Retry__Priority__PreviousPriorities__V3__PreviousPrioritiesConfig,
            envoy__extensions__retry__priority__previous_priorities__v3__previous_priorities_config)
PROTO_ALIAS(envoy_raw_buffer, Envoy__Extensions__TransportSockets__RawBuffer__V3__RawBuffer,
            envoy__extensions__transport_sockets__raw_buffer__v3__raw_buffer)
PROTO_ALIAS(envoy_tls_parameters, Envoy__Extensions__TransportSockets__Tls__V3__TlsParameters,
            envoy__extensions__transport_sockets__tls__v3__tls_parameters)
PROTO_ALIAS(envoy_tls_certificate, Envoy__Extensions__TransportSockets__Tls__V3__TlsCertificate,
            envoy__extensions__transport_sockets__tls__v3__tls_certificate)
PROTO_ALIAS(envoy_subject_alt_name_matcher, Envoy__Extensions__TransportSockets__Tls__V3__SubjectAltNameMatcher,
            envoy__extensions__transport_sockets__tls__v3__subject_alt_name_matcher)
PROTO_ALIAS(envoy_certificate_validation_context,
            Envoy__Extensions__TransportSockets__Tls__V3__CertificateValidationContext,
            envoy__extensions__transport_sockets__tls__v3__certificate_validation_context)
PROTO_ALIAS(envoy_generic_secret, Envoy__Extensions__TransportSockets__Tls__V3__GenericSecret,
            envoy__extensions__transport_sockets__tls__v3__generic_secret)
PROTO_ALIAS(envoy_sds_secret_config, Envoy__Extensions__TransportSockets__Tls__V3__SdsSecretConfig,
            envoy__extensions__transport_sockets__tls__v3__sds_secret_config)
PROTO_ALIAS(envoy_secret, Envoy__Extensions__TransportSockets__Tls__V3__Secret,
            envoy__extensions__transport_sockets__tls__v3__secret)
PROTO_ALIAS(envoy_common_tls_context, Envoy__Extensions__TransportSockets__Tls__V3__CommonTlsContext,
            envoy__extensions__transport_sockets__tls__v3__common_tls_context)
PROTO_ALIAS(envoy_combined_validation_context,
            Envoy__Extensions__TransportSockets__Tls__V3__CommonTlsContext__CombinedCertificateValidationContext,
            envoy__extensions__transport_sockets__tls__v3__common_tls_context__combined_certificate_validation_context)
PROTO_ALIAS(envoy_upstream_tls_context, Envoy__Extensions__TransportSockets__Tls__V3__UpstreamTlsContext,
            envoy__extensions__transport_sockets__tls__v3__upstream_tls_context)
PROTO_ALIAS(envoy_downstream_tls_context, Envoy__Extensions__TransportSockets__Tls__V3__DownstreamTlsContext,
            envoy__extensions__transport_sockets__tls__v3__downstream_tls_context)
PROTO_ALIAS(envoy_http_protocol_options_explicit_http_config,
            Envoy__Extensions__Upstreams__Http__V3__HttpProtocolOptions__ExplicitHttpConfig,
            envoy__extensions__upstreams__http__v3__http_protocol_options__explicit_http_config)
PROTO_ALIAS(envoy_http_protocol_options_use_downstream_http_config,
            Envoy__Extensions__Upstreams__Http__V3__HttpProtocolOptions__UseDownstreamHttpConfig,
            envoy__extensions__upstreams__http__v3__http_protocol_options__use_downstream_http_config)
PROTO_ALIAS(envoy_upstreams_http_protocol_options, Envoy__Extensions__Upstreams__Http__V3__HttpProtocolOptions,
            envoy__extensions__upstreams__http__v3__http_protocol_options)
PROTO_ALIAS(envoy_delta_discovery_request, Envoy__Service__Discovery__V3__DeltaDiscoveryRequest,
            envoy__service__discovery__v3__delta_discovery_request)
PROTO_ALIAS(envoy_delta_discovery_response, Envoy__Service__Discovery__V3__DeltaDiscoveryResponse,
            envoy__service__discovery__v3__delta_discovery_response)
PROTO_ALIAS(envoy_discovery_request, Envoy__Service__Discovery__V3__DiscoveryRequest,
            envoy__service__discovery__v3__discovery_request)
PROTO_ALIAS(envoy_discovery_response, Envoy__Service__Discovery__V3__DiscoveryResponse,
            envoy__service__discovery__v3__discovery_response)
PROTO_ALIAS(envoy_resource, Envoy__Service__Discovery__V3__Resource, envoy__service__discovery__v3__resource)
PROTO_ALIAS(envoy_regex_match_and_substitute, Envoy__Type__Matcher__V3__RegexMatchAndSubstitute,
            envoy__type__matcher__v3__regex_match_and_substitute)
PROTO_ALIAS(envoy_rbac, Envoy__Config__Rbac__V3__RBAC, envoy__config__rbac__v3__rbac)
PROTO_ALIAS(envoy_rbac_policy, Envoy__Config__Rbac__V3__Policy, envoy__config__rbac__v3__policy)
PROTO_ALIAS(envoy_rbac_permission, Envoy__Config__Rbac__V3__Permission, envoy__config__rbac__v3__permission)
PROTO_ALIAS(envoy_rbac_permission_set, Envoy__Config__Rbac__V3__Permission__Set,
            envoy__config__rbac__v3__permission__set)
PROTO_ALIAS(envoy_rbac_principal, Envoy__Config__Rbac__V3__Principal, envoy__config__rbac__v3__principal)
PROTO_ALIAS(envoy_rbac_principal_set, Envoy__Config__Rbac__V3__Principal__Set, envoy__config__rbac__v3__principal__set)
PROTO_ALIAS(envoy_rbac_principal_authenticated, Envoy__Config__Rbac__V3__Principal__Authenticated,
            envoy__config__rbac__v3__principal__authenticated)
PROTO_ALIAS(envoy_http_rbac, Envoy__Extensions__Filters__Http__Rbac__V3__RBAC,
            envoy__extensions__filters__http__rbac__v3__rbac)
PROTO_ALIAS(envoy_network_rbac, Envoy__Extensions__Filters__Network__Rbac__V3__RBAC,
            envoy__extensions__filters__network__rbac__v3__rbac)
PROTO_ALIAS(envoy_http_ext_authz, Envoy__Extensions__Filters__Http__ExtAuthz__V3__ExtAuthz,
            envoy__extensions__filters__http__ext_authz__v3__ext_authz)
PROTO_ALIAS(envoy_ext_authz_buffer_settings, Envoy__Extensions__Filters__Http__ExtAuthz__V3__BufferSettings,
            envoy__extensions__filters__http__ext_authz__v3__buffer_settings)
PROTO_ALIAS(envoy_ext_authz_http_service, Envoy__Extensions__Filters__Http__ExtAuthz__V3__HttpService,
            envoy__extensions__filters__http__ext_authz__v3__http_service)
PROTO_ALIAS(envoy_ext_authz_request, Envoy__Extensions__Filters__Http__ExtAuthz__V3__AuthorizationRequest,
            envoy__extensions__filters__http__ext_authz__v3__authorization_request)
PROTO_ALIAS(envoy_ext_authz_response, Envoy__Extensions__Filters__Http__ExtAuthz__V3__AuthorizationResponse,
            envoy__extensions__filters__http__ext_authz__v3__authorization_response)
PROTO_ALIAS(envoy_network_ext_authz, Envoy__Extensions__Filters__Network__ExtAuthz__V3__ExtAuthz,
            envoy__extensions__filters__network__ext_authz__v3__ext_authz)
PROTO_ALIAS(envoy_uri_template_match, Envoy__Extensions__Path__Match__UriTemplate__V3__UriTemplateMatchConfig,
            envoy__extensions__path__match__uri_template__v3__uri_template_match_config)
PROTO_ALIAS(envoy_jwt_authentication, Envoy__Extensions__Filters__Http__JwtAuthn__V3__JwtAuthentication,
            envoy__extensions__filters__http__jwt_authn__v3__jwt_authentication)
PROTO_ALIAS(envoy_jwt_provider, Envoy__Extensions__Filters__Http__JwtAuthn__V3__JwtProvider,
            envoy__extensions__filters__http__jwt_authn__v3__jwt_provider)
PROTO_ALIAS(envoy_jwt_provider_normalize_payload,
            Envoy__Extensions__Filters__Http__JwtAuthn__V3__JwtProvider__NormalizePayload,
            envoy__extensions__filters__http__jwt_authn__v3__jwt_provider__normalize_payload)
PROTO_ALIAS(envoy_jwt_header, Envoy__Extensions__Filters__Http__JwtAuthn__V3__JwtHeader,
            envoy__extensions__filters__http__jwt_authn__v3__jwt_header)
PROTO_ALIAS(envoy_jwt_claim_to_header, Envoy__Extensions__Filters__Http__JwtAuthn__V3__JwtClaimToHeader,
            envoy__extensions__filters__http__jwt_authn__v3__jwt_claim_to_header)
PROTO_ALIAS(envoy_jwt_requirement, Envoy__Extensions__Filters__Http__JwtAuthn__V3__JwtRequirement,
            envoy__extensions__filters__http__jwt_authn__v3__jwt_requirement)
PROTO_ALIAS(envoy_jwt_requirement_or_list, Envoy__Extensions__Filters__Http__JwtAuthn__V3__JwtRequirementOrList,
            envoy__extensions__filters__http__jwt_authn__v3__jwt_requirement_or_list)
PROTO_ALIAS(envoy_jwt_requirement_and_list, Envoy__Extensions__Filters__Http__JwtAuthn__V3__JwtRequirementAndList,
            envoy__extensions__filters__http__jwt_authn__v3__jwt_requirement_and_list)
PROTO_ALIAS(envoy_jwt_requirement_rule, Envoy__Extensions__Filters__Http__JwtAuthn__V3__RequirementRule,
            envoy__extensions__filters__http__jwt_authn__v3__requirement_rule)
PROTO_ALIAS(envoy_metadata_matcher, Envoy__Type__Matcher__V3__MetadataMatcher,
            envoy__type__matcher__v3__metadata_matcher)
PROTO_ALIAS(envoy_metadata_path_segment, Envoy__Type__Matcher__V3__MetadataMatcher__PathSegment,
            envoy__type__matcher__v3__metadata_matcher__path_segment)
PROTO_ALIAS(envoy_value_matcher, Envoy__Type__Matcher__V3__ValueMatcher, envoy__type__matcher__v3__value_matcher)
PROTO_ALIAS(envoy_list_matcher, Envoy__Type__Matcher__V3__ListMatcher, envoy__type__matcher__v3__list_matcher)
PROTO_ALIAS(envoy_or_matcher, Envoy__Type__Matcher__V3__OrMatcher, envoy__type__matcher__v3__or_matcher)
PROTO_ALIAS(envoy_path_matcher, Envoy__Type__Matcher__V3__PathMatcher, envoy__type__matcher__v3__path_matcher)
PROTO_ALIAS(envoy_regex_matcher, Envoy__Type__Matcher__V3__RegexMatcher, envoy__type__matcher__v3__regex_matcher)
PROTO_ALIAS(envoy_string_matcher, Envoy__Type__Matcher__V3__StringMatcher, envoy__type__matcher__v3__string_matcher)
PROTO_ALIAS(envoy_list_string_matcher, Envoy__Type__Matcher__V3__ListStringMatcher,
            envoy__type__matcher__v3__list_string_matcher)
PROTO_ALIAS(envoy_fractional_percent, Envoy__Type__V3__FractionalPercent, envoy__type__v3__fractional_percent)
PROTO_ALIAS(envoy_http_status, Envoy__Type__V3__HttpStatus, envoy__type__v3__http_status)
PROTO_ALIAS(envoy_percent, Envoy__Type__V3__Percent, envoy__type__v3__percent)
PROTO_ALIAS(envoy_int32_range, Envoy__Type__V3__Int32Range, envoy__type__v3__int32_range)
