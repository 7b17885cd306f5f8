#pragma once
/*
 * Short names for the Istio messages in this folder: `istio_virtual_service` for
 * Istio__Networking__V1alpha3__VirtualService, and so on (see alias.h for what each name brings).
 * Only crds/, translator/istio/ and the certificate service include this: the model and its back ends know no dialect.
 */
#include "proto/alias.h"

#include "istio/analysis/v1alpha1/message.pb-c.h"
#include "istio/extensions/v1alpha1/traffic_extension.pb-c.h"
#include "istio/extensions/v1alpha1/wasm.pb-c.h"
#include "istio/mesh/v1alpha1/config.pb-c.h"
#include "istio/mesh/v1alpha1/proxy.pb-c.h"
#include "istio/meta/v1alpha1/status.pb-c.h"
#include "istio/networking/v1alpha3/destination_rule.pb-c.h"
#include "istio/networking/v1alpha3/envoy_filter.pb-c.h"
#include "istio/networking/v1alpha3/gateway.pb-c.h"
#include "istio/networking/v1alpha3/service_entry.pb-c.h"
#include "istio/networking/v1alpha3/sidecar.pb-c.h"
#include "istio/networking/v1alpha3/virtual_service.pb-c.h"
#include "istio/networking/v1alpha3/workload_entry.pb-c.h"
#include "istio/networking/v1alpha3/workload_group.pb-c.h"
#include "istio/networking/v1beta1/proxy_config.pb-c.h"
#include "istio/security/v1beta1/authorization_policy.pb-c.h"
#include "istio/security/v1beta1/peer_authentication.pb-c.h"
#include "istio/security/v1beta1/request_authentication.pb-c.h"
#include "istio/telemetry/v1alpha1/telemetry.pb-c.h"
#include "istio/type/v1beta1/selector.pb-c.h"
#include "istio/v1/auth/ca.pb-c.h"

PROTO_ALIAS(istio_certificate, Istio__Mesh__V1alpha1__Certificate, istio__mesh__v1alpha1__certificate)
PROTO_ALIAS(istio_config_source, Istio__Mesh__V1alpha1__ConfigSource, istio__mesh__v1alpha1__config_source)
PROTO_ALIAS(istio_label_selector, Istio__Mesh__V1alpha1__LabelSelector, istio__mesh__v1alpha1__label_selector)
PROTO_ALIAS(istio_label_selector_requirement, Istio__Mesh__V1alpha1__LabelSelectorRequirement,
            istio__mesh__v1alpha1__label_selector_requirement)
PROTO_ALIAS(istio_mesh_config, Istio__Mesh__V1alpha1__MeshConfig, istio__mesh__v1alpha1__mesh_config)
PROTO_ALIAS(istio_mesh_config_ca, Istio__Mesh__V1alpha1__MeshConfig__CA, istio__mesh__v1alpha1__mesh_config__ca)
PROTO_ALIAS(istio_mesh_config_certificate_data, Istio__Mesh__V1alpha1__MeshConfig__CertificateData,
            istio__mesh__v1alpha1__mesh_config__certificate_data)
PROTO_ALIAS(istio_mesh_config_default_providers, Istio__Mesh__V1alpha1__MeshConfig__DefaultProviders,
            istio__mesh__v1alpha1__mesh_config__default_providers)
PROTO_ALIAS(istio_mesh_config_default_traffic_policy, Istio__Mesh__V1alpha1__MeshConfig__DefaultTrafficPolicy,
            istio__mesh__v1alpha1__mesh_config__default_traffic_policy)
PROTO_ALIAS(istio_mesh_config_extension_provider, Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_datadog_tracing_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__DatadogTracingProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__datadog_tracing_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_envoy_external_authorization_grpc_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__EnvoyExternalAuthorizationGrpcProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__envoy_external_authorization_grpc_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_envoy_external_authorization_http_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__EnvoyExternalAuthorizationHttpProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__envoy_external_authorization_http_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_envoy_external_authorization_request_body,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__EnvoyExternalAuthorizationRequestBody,
            istio__mesh__v1alpha1__mesh_config__extension_provider__envoy_external_authorization_request_body)
PROTO_ALIAS(istio_mesh_config_extension_provider_envoy_file_access_log_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__EnvoyFileAccessLogProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__envoy_file_access_log_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_envoy_file_access_log_provider_log_format,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__EnvoyFileAccessLogProvider__LogFormat,
            istio__mesh__v1alpha1__mesh_config__extension_provider__envoy_file_access_log_provider__log_format)
PROTO_ALIAS(istio_mesh_config_extension_provider_envoy_http_grpc_v3_log_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__EnvoyHttpGrpcV3LogProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__envoy_http_grpc_v3_log_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_envoy_open_telemetry_log_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__EnvoyOpenTelemetryLogProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__envoy_open_telemetry_log_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_envoy_open_telemetry_log_provider_log_format,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__EnvoyOpenTelemetryLogProvider__LogFormat,
            istio__mesh__v1alpha1__mesh_config__extension_provider__envoy_open_telemetry_log_provider__log_format)
PROTO_ALIAS(istio_mesh_config_extension_provider_envoy_tcp_grpc_v3_log_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__EnvoyTcpGrpcV3LogProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__envoy_tcp_grpc_v3_log_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_grpc_service,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__GrpcService,
            istio__mesh__v1alpha1__mesh_config__extension_provider__grpc_service)
PROTO_ALIAS(istio_mesh_config_extension_provider_http_header,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__HttpHeader,
            istio__mesh__v1alpha1__mesh_config__extension_provider__http_header)
PROTO_ALIAS(istio_mesh_config_extension_provider_http_service,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__HttpService,
            istio__mesh__v1alpha1__mesh_config__extension_provider__http_service)
PROTO_ALIAS(istio_mesh_config_extension_provider_lightstep_tracing_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__LightstepTracingProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__lightstep_tracing_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_open_census_agent_tracing_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__OpenCensusAgentTracingProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__open_census_agent_tracing_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_open_telemetry_tracing_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__OpenTelemetryTracingProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__open_telemetry_tracing_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_open_telemetry_tracing_provider_dynatrace_sampler,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__OpenTelemetryTracingProvider__DynatraceSampler,
            istio__mesh__v1alpha1__mesh_config__extension_provider__open_telemetry_tracing_provider__dynatrace_sampler)
PROTO_ALIAS(
    istio_mesh_config_extension_provider_open_telemetry_tracing_provider_dynatrace_sampler_dynatrace_api,
    Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__OpenTelemetryTracingProvider__DynatraceSampler__DynatraceApi,
    istio__mesh__v1alpha1__mesh_config__extension_provider__open_telemetry_tracing_provider__dynatrace_sampler__dynatrace_api)
PROTO_ALIAS(istio_mesh_config_extension_provider_prometheus_metrics_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__PrometheusMetricsProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__prometheus_metrics_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_resource_detectors,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__ResourceDetectors,
            istio__mesh__v1alpha1__mesh_config__extension_provider__resource_detectors)
PROTO_ALIAS(istio_mesh_config_extension_provider_resource_detectors_dynatrace_resource_detector,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__ResourceDetectors__DynatraceResourceDetector,
            istio__mesh__v1alpha1__mesh_config__extension_provider__resource_detectors__dynatrace_resource_detector)
PROTO_ALIAS(istio_mesh_config_extension_provider_resource_detectors_environment_resource_detector,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__ResourceDetectors__EnvironmentResourceDetector,
            istio__mesh__v1alpha1__mesh_config__extension_provider__resource_detectors__environment_resource_detector)
PROTO_ALIAS(istio_mesh_config_extension_provider_sds_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__SDSProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__sdsprovider)
PROTO_ALIAS(istio_mesh_config_extension_provider_sky_walking_tracing_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__SkyWalkingTracingProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__sky_walking_tracing_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_stackdriver_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__StackdriverProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__stackdriver_provider)
PROTO_ALIAS(istio_mesh_config_extension_provider_stackdriver_provider_logging,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__StackdriverProvider__Logging,
            istio__mesh__v1alpha1__mesh_config__extension_provider__stackdriver_provider__logging)
PROTO_ALIAS(istio_mesh_config_extension_provider_zipkin_tracing_provider,
            Istio__Mesh__V1alpha1__MeshConfig__ExtensionProvider__ZipkinTracingProvider,
            istio__mesh__v1alpha1__mesh_config__extension_provider__zipkin_tracing_provider)
PROTO_ALIAS(istio_mesh_config_inbound_traffic_policy, Istio__Mesh__V1alpha1__MeshConfig__InboundTrafficPolicy,
            istio__mesh__v1alpha1__mesh_config__inbound_traffic_policy)
PROTO_ALIAS(istio_mesh_config_outbound_traffic_policy, Istio__Mesh__V1alpha1__MeshConfig__OutboundTrafficPolicy,
            istio__mesh__v1alpha1__mesh_config__outbound_traffic_policy)
PROTO_ALIAS(istio_mesh_config_proxy_path_normalization, Istio__Mesh__V1alpha1__MeshConfig__ProxyPathNormalization,
            istio__mesh__v1alpha1__mesh_config__proxy_path_normalization)
PROTO_ALIAS(istio_mesh_config_service_scope_configs, Istio__Mesh__V1alpha1__MeshConfig__ServiceScopeConfigs,
            istio__mesh__v1alpha1__mesh_config__service_scope_configs)
PROTO_ALIAS(istio_mesh_config_service_settings, Istio__Mesh__V1alpha1__MeshConfig__ServiceSettings,
            istio__mesh__v1alpha1__mesh_config__service_settings)
PROTO_ALIAS(istio_mesh_config_service_settings_settings, Istio__Mesh__V1alpha1__MeshConfig__ServiceSettings__Settings,
            istio__mesh__v1alpha1__mesh_config__service_settings__settings)
PROTO_ALIAS(istio_mesh_config_tls_config, Istio__Mesh__V1alpha1__MeshConfig__TLSConfig,
            istio__mesh__v1alpha1__mesh_config__tlsconfig)
PROTO_ALIAS(istio_service_entry_visibility, Istio__Mesh__V1alpha1__ServiceEntryVisibility,
            istio__mesh__v1alpha1__service_entry_visibility)
PROTO_ALIAS(istio_service_entry_visibility_match_rule, Istio__Mesh__V1alpha1__ServiceEntryVisibility__MatchRule,
            istio__mesh__v1alpha1__service_entry_visibility__match_rule)
PROTO_ALIAS(istio_service_entry_visibility_policy, Istio__Mesh__V1alpha1__ServiceEntryVisibility__Policy,
            istio__mesh__v1alpha1__service_entry_visibility__policy)
PROTO_ALIAS(istio_private_key_provider, Istio__Mesh__V1alpha1__PrivateKeyProvider,
            istio__mesh__v1alpha1__private_key_provider)
PROTO_ALIAS(istio_private_key_provider_crypto_mb, Istio__Mesh__V1alpha1__PrivateKeyProvider__CryptoMb,
            istio__mesh__v1alpha1__private_key_provider__crypto_mb)
PROTO_ALIAS(istio_private_key_provider_qat, Istio__Mesh__V1alpha1__PrivateKeyProvider__QAT,
            istio__mesh__v1alpha1__private_key_provider__qat)
PROTO_ALIAS(istio_proxy_config, Istio__Mesh__V1alpha1__ProxyConfig, istio__mesh__v1alpha1__proxy_config)
PROTO_ALIAS(istio_proxy_config_connection_settings, Istio__Mesh__V1alpha1__ProxyConfig__ConnectionSettings,
            istio__mesh__v1alpha1__proxy_config__connection_settings)
PROTO_ALIAS(istio_proxy_config_proxy_headers, Istio__Mesh__V1alpha1__ProxyConfig__ProxyHeaders,
            istio__mesh__v1alpha1__proxy_config__proxy_headers)
PROTO_ALIAS(istio_proxy_config_proxy_headers_attempt_count,
            Istio__Mesh__V1alpha1__ProxyConfig__ProxyHeaders__AttemptCount,
            istio__mesh__v1alpha1__proxy_config__proxy_headers__attempt_count)
PROTO_ALIAS(istio_proxy_config_proxy_headers_envoy_debug_headers,
            Istio__Mesh__V1alpha1__ProxyConfig__ProxyHeaders__EnvoyDebugHeaders,
            istio__mesh__v1alpha1__proxy_config__proxy_headers__envoy_debug_headers)
PROTO_ALIAS(istio_proxy_config_proxy_headers_metadata_exchange_headers,
            Istio__Mesh__V1alpha1__ProxyConfig__ProxyHeaders__MetadataExchangeHeaders,
            istio__mesh__v1alpha1__proxy_config__proxy_headers__metadata_exchange_headers)
PROTO_ALIAS(istio_proxy_config_proxy_headers_request_id, Istio__Mesh__V1alpha1__ProxyConfig__ProxyHeaders__RequestId,
            istio__mesh__v1alpha1__proxy_config__proxy_headers__request_id)
PROTO_ALIAS(istio_proxy_config_proxy_headers_server, Istio__Mesh__V1alpha1__ProxyConfig__ProxyHeaders__Server,
            istio__mesh__v1alpha1__proxy_config__proxy_headers__server)
PROTO_ALIAS(istio_proxy_config_proxy_headers_set_current_client_cert_details,
            Istio__Mesh__V1alpha1__ProxyConfig__ProxyHeaders__SetCurrentClientCertDetails,
            istio__mesh__v1alpha1__proxy_config__proxy_headers__set_current_client_cert_details)
PROTO_ALIAS(istio_proxy_config_proxy_headers_x_forwarded_host,
            Istio__Mesh__V1alpha1__ProxyConfig__ProxyHeaders__XForwardedHost,
            istio__mesh__v1alpha1__proxy_config__proxy_headers__xforwarded_host)
PROTO_ALIAS(istio_proxy_config_proxy_headers_x_forwarded_port,
            Istio__Mesh__V1alpha1__ProxyConfig__ProxyHeaders__XForwardedPort,
            istio__mesh__v1alpha1__proxy_config__proxy_headers__xforwarded_port)
PROTO_ALIAS(istio_proxy_config_proxy_stats_matcher, Istio__Mesh__V1alpha1__ProxyConfig__ProxyStatsMatcher,
            istio__mesh__v1alpha1__proxy_config__proxy_stats_matcher)
PROTO_ALIAS(istio_remote_service, Istio__Mesh__V1alpha1__RemoteService, istio__mesh__v1alpha1__remote_service)
PROTO_ALIAS(istio_sds, Istio__Mesh__V1alpha1__SDS, istio__mesh__v1alpha1__sds)
PROTO_ALIAS(istio_topology, Istio__Mesh__V1alpha1__Topology, istio__mesh__v1alpha1__topology)
PROTO_ALIAS(istio_topology_proxy_protocol_configuration, Istio__Mesh__V1alpha1__Topology__ProxyProtocolConfiguration,
            istio__mesh__v1alpha1__topology__proxy_protocol_configuration)
PROTO_ALIAS(istio_tracing, Istio__Mesh__V1alpha1__Tracing, istio__mesh__v1alpha1__tracing)
PROTO_ALIAS(istio_tracing_custom_tag, Istio__Mesh__V1alpha1__Tracing__CustomTag,
            istio__mesh__v1alpha1__tracing__custom_tag)
PROTO_ALIAS(istio_tracing_datadog, Istio__Mesh__V1alpha1__Tracing__Datadog, istio__mesh__v1alpha1__tracing__datadog)
PROTO_ALIAS(istio_tracing_environment, Istio__Mesh__V1alpha1__Tracing__Environment,
            istio__mesh__v1alpha1__tracing__environment)
PROTO_ALIAS(istio_tracing_lightstep, Istio__Mesh__V1alpha1__Tracing__Lightstep,
            istio__mesh__v1alpha1__tracing__lightstep)
PROTO_ALIAS(istio_tracing_literal, Istio__Mesh__V1alpha1__Tracing__Literal, istio__mesh__v1alpha1__tracing__literal)
PROTO_ALIAS(istio_tracing_open_census_agent, Istio__Mesh__V1alpha1__Tracing__OpenCensusAgent,
            istio__mesh__v1alpha1__tracing__open_census_agent)
PROTO_ALIAS(istio_tracing_request_header, Istio__Mesh__V1alpha1__Tracing__RequestHeader,
            istio__mesh__v1alpha1__tracing__request_header)
PROTO_ALIAS(istio_tracing_stackdriver, Istio__Mesh__V1alpha1__Tracing__Stackdriver,
            istio__mesh__v1alpha1__tracing__stackdriver)
PROTO_ALIAS(istio_tracing_zipkin, Istio__Mesh__V1alpha1__Tracing__Zipkin, istio__mesh__v1alpha1__tracing__zipkin)
PROTO_ALIAS(istio_client_tls_settings, Istio__Networking__V1alpha3__ClientTLSSettings,
            istio__networking__v1alpha3__client_tlssettings)
PROTO_ALIAS(istio_connection_pool_settings, Istio__Networking__V1alpha3__ConnectionPoolSettings,
            istio__networking__v1alpha3__connection_pool_settings)
PROTO_ALIAS(istio_connection_pool_settings_http_settings,
            Istio__Networking__V1alpha3__ConnectionPoolSettings__HTTPSettings,
            istio__networking__v1alpha3__connection_pool_settings__httpsettings)
PROTO_ALIAS(istio_connection_pool_settings_http_settings_connection_keepalive,
            Istio__Networking__V1alpha3__ConnectionPoolSettings__HTTPSettings__ConnectionKeepalive,
            istio__networking__v1alpha3__connection_pool_settings__httpsettings__connection_keepalive)
PROTO_ALIAS(istio_connection_pool_settings_tcp_settings,
            Istio__Networking__V1alpha3__ConnectionPoolSettings__TCPSettings,
            istio__networking__v1alpha3__connection_pool_settings__tcpsettings)
PROTO_ALIAS(istio_connection_pool_settings_tcp_settings_tcp_keepalive,
            Istio__Networking__V1alpha3__ConnectionPoolSettings__TCPSettings__TcpKeepalive,
            istio__networking__v1alpha3__connection_pool_settings__tcpsettings__tcp_keepalive)
PROTO_ALIAS(istio_destination_rule, Istio__Networking__V1alpha3__DestinationRule,
            istio__networking__v1alpha3__destination_rule)
PROTO_ALIAS(istio_load_balancer_settings, Istio__Networking__V1alpha3__LoadBalancerSettings,
            istio__networking__v1alpha3__load_balancer_settings)
PROTO_ALIAS(istio_load_balancer_settings_consistent_hash_lb,
            Istio__Networking__V1alpha3__LoadBalancerSettings__ConsistentHashLB,
            istio__networking__v1alpha3__load_balancer_settings__consistent_hash_lb)
PROTO_ALIAS(istio_load_balancer_settings_consistent_hash_lb_http_cookie,
            Istio__Networking__V1alpha3__LoadBalancerSettings__ConsistentHashLB__HTTPCookie,
            istio__networking__v1alpha3__load_balancer_settings__consistent_hash_lb__httpcookie)
PROTO_ALIAS(istio_load_balancer_settings_consistent_hash_lb_http_cookie_attribute,
            Istio__Networking__V1alpha3__LoadBalancerSettings__ConsistentHashLB__HTTPCookie__Attribute,
            istio__networking__v1alpha3__load_balancer_settings__consistent_hash_lb__httpcookie__attribute)
PROTO_ALIAS(istio_load_balancer_settings_consistent_hash_lb_mag_lev,
            Istio__Networking__V1alpha3__LoadBalancerSettings__ConsistentHashLB__MagLev,
            istio__networking__v1alpha3__load_balancer_settings__consistent_hash_lb__mag_lev)
PROTO_ALIAS(istio_load_balancer_settings_consistent_hash_lb_ring_hash,
            Istio__Networking__V1alpha3__LoadBalancerSettings__ConsistentHashLB__RingHash,
            istio__networking__v1alpha3__load_balancer_settings__consistent_hash_lb__ring_hash)
PROTO_ALIAS(istio_locality_load_balancer_setting, Istio__Networking__V1alpha3__LocalityLoadBalancerSetting,
            istio__networking__v1alpha3__locality_load_balancer_setting)
PROTO_ALIAS(istio_locality_load_balancer_setting_distribute,
            Istio__Networking__V1alpha3__LocalityLoadBalancerSetting__Distribute,
            istio__networking__v1alpha3__locality_load_balancer_setting__distribute)
PROTO_ALIAS(istio_locality_load_balancer_setting_failover,
            Istio__Networking__V1alpha3__LocalityLoadBalancerSetting__Failover,
            istio__networking__v1alpha3__locality_load_balancer_setting__failover)
PROTO_ALIAS(istio_outlier_detection, Istio__Networking__V1alpha3__OutlierDetection,
            istio__networking__v1alpha3__outlier_detection)
PROTO_ALIAS(istio_subset, Istio__Networking__V1alpha3__Subset, istio__networking__v1alpha3__subset)
PROTO_ALIAS(istio_traffic_policy, Istio__Networking__V1alpha3__TrafficPolicy,
            istio__networking__v1alpha3__traffic_policy)
PROTO_ALIAS(istio_traffic_policy_port_traffic_policy, Istio__Networking__V1alpha3__TrafficPolicy__PortTrafficPolicy,
            istio__networking__v1alpha3__traffic_policy__port_traffic_policy)
PROTO_ALIAS(istio_traffic_policy_proxy_protocol, Istio__Networking__V1alpha3__TrafficPolicy__ProxyProtocol,
            istio__networking__v1alpha3__traffic_policy__proxy_protocol)
PROTO_ALIAS(istio_traffic_policy_retry_budget, Istio__Networking__V1alpha3__TrafficPolicy__RetryBudget,
            istio__networking__v1alpha3__traffic_policy__retry_budget)
PROTO_ALIAS(istio_traffic_policy_tunnel_settings, Istio__Networking__V1alpha3__TrafficPolicy__TunnelSettings,
            istio__networking__v1alpha3__traffic_policy__tunnel_settings)
PROTO_ALIAS(istio_warmup_configuration, Istio__Networking__V1alpha3__WarmupConfiguration,
            istio__networking__v1alpha3__warmup_configuration)
PROTO_ALIAS(istio_zone_aware_load_balancer_setting, Istio__Networking__V1alpha3__ZoneAwareLoadBalancerSetting,
            istio__networking__v1alpha3__zone_aware_load_balancer_setting)
PROTO_ALIAS(istio_zone_aware_load_balancer_setting_failover,
            Istio__Networking__V1alpha3__ZoneAwareLoadBalancerSetting__Failover,
            istio__networking__v1alpha3__zone_aware_load_balancer_setting__failover)
PROTO_ALIAS(istio_gateway, Istio__Networking__V1alpha3__Gateway, istio__networking__v1alpha3__gateway)
PROTO_ALIAS(istio_port, Istio__Networking__V1alpha3__Port, istio__networking__v1alpha3__port)
PROTO_ALIAS(istio_server, Istio__Networking__V1alpha3__Server, istio__networking__v1alpha3__server)
PROTO_ALIAS(istio_server_tls_settings, Istio__Networking__V1alpha3__ServerTLSSettings,
            istio__networking__v1alpha3__server_tlssettings)
PROTO_ALIAS(istio_server_tls_settings_tls_certificate, Istio__Networking__V1alpha3__ServerTLSSettings__TLSCertificate,
            istio__networking__v1alpha3__server_tlssettings__tlscertificate)
PROTO_ALIAS(istio_service_entry, Istio__Networking__V1alpha3__ServiceEntry, istio__networking__v1alpha3__service_entry)
PROTO_ALIAS(istio_service_port, Istio__Networking__V1alpha3__ServicePort, istio__networking__v1alpha3__service_port)
PROTO_ALIAS(istio_networking_workload_selector, Istio__Networking__V1alpha3__WorkloadSelector,
            istio__networking__v1alpha3__workload_selector)
PROTO_ALIAS(istio_cors_policy, Istio__Networking__V1alpha3__CorsPolicy, istio__networking__v1alpha3__cors_policy)
PROTO_ALIAS(istio_delegate, Istio__Networking__V1alpha3__Delegate, istio__networking__v1alpha3__delegate)
PROTO_ALIAS(istio_destination, Istio__Networking__V1alpha3__Destination, istio__networking__v1alpha3__destination)
PROTO_ALIAS(istio_headers, Istio__Networking__V1alpha3__Headers, istio__networking__v1alpha3__headers)
PROTO_ALIAS(istio_headers_header_operations, Istio__Networking__V1alpha3__Headers__HeaderOperations,
            istio__networking__v1alpha3__headers__header_operations)
PROTO_ALIAS(istio_http_body, Istio__Networking__V1alpha3__HTTPBody, istio__networking__v1alpha3__httpbody)
PROTO_ALIAS(istio_http_direct_response, Istio__Networking__V1alpha3__HTTPDirectResponse,
            istio__networking__v1alpha3__httpdirect_response)
PROTO_ALIAS(istio_http_fault_injection, Istio__Networking__V1alpha3__HTTPFaultInjection,
            istio__networking__v1alpha3__httpfault_injection)
PROTO_ALIAS(istio_http_fault_injection_abort, Istio__Networking__V1alpha3__HTTPFaultInjection__Abort,
            istio__networking__v1alpha3__httpfault_injection__abort)
PROTO_ALIAS(istio_http_fault_injection_delay, Istio__Networking__V1alpha3__HTTPFaultInjection__Delay,
            istio__networking__v1alpha3__httpfault_injection__delay)
PROTO_ALIAS(istio_http_match_request, Istio__Networking__V1alpha3__HTTPMatchRequest,
            istio__networking__v1alpha3__httpmatch_request)
PROTO_ALIAS(istio_http_mirror_policy, Istio__Networking__V1alpha3__HTTPMirrorPolicy,
            istio__networking__v1alpha3__httpmirror_policy)
PROTO_ALIAS(istio_http_redirect, Istio__Networking__V1alpha3__HTTPRedirect, istio__networking__v1alpha3__httpredirect)
PROTO_ALIAS(istio_http_retry, Istio__Networking__V1alpha3__HTTPRetry, istio__networking__v1alpha3__httpretry)
PROTO_ALIAS(istio_http_rewrite, Istio__Networking__V1alpha3__HTTPRewrite, istio__networking__v1alpha3__httprewrite)
PROTO_ALIAS(istio_http_route, Istio__Networking__V1alpha3__HTTPRoute, istio__networking__v1alpha3__httproute)
PROTO_ALIAS(istio_http_route_destination, Istio__Networking__V1alpha3__HTTPRouteDestination,
            istio__networking__v1alpha3__httproute_destination)
PROTO_ALIAS(istio_l4_match_attributes, Istio__Networking__V1alpha3__L4MatchAttributes,
            istio__networking__v1alpha3__l4_match_attributes)
PROTO_ALIAS(istio_percent, Istio__Networking__V1alpha3__Percent, istio__networking__v1alpha3__percent)
PROTO_ALIAS(istio_port_selector, Istio__Networking__V1alpha3__PortSelector, istio__networking__v1alpha3__port_selector)
PROTO_ALIAS(istio_regex_rewrite, Istio__Networking__V1alpha3__RegexRewrite, istio__networking__v1alpha3__regex_rewrite)
PROTO_ALIAS(istio_route_destination, Istio__Networking__V1alpha3__RouteDestination,
            istio__networking__v1alpha3__route_destination)
PROTO_ALIAS(istio_string_match, Istio__Networking__V1alpha3__StringMatch, istio__networking__v1alpha3__string_match)
PROTO_ALIAS(istio_tcp_route, Istio__Networking__V1alpha3__TCPRoute, istio__networking__v1alpha3__tcproute)
PROTO_ALIAS(istio_tls_match_attributes, Istio__Networking__V1alpha3__TLSMatchAttributes,
            istio__networking__v1alpha3__tlsmatch_attributes)
PROTO_ALIAS(istio_tls_route, Istio__Networking__V1alpha3__TLSRoute, istio__networking__v1alpha3__tlsroute)
PROTO_ALIAS(istio_virtual_service, Istio__Networking__V1alpha3__VirtualService,
            istio__networking__v1alpha3__virtual_service)
PROTO_ALIAS(istio_workload_entry, Istio__Networking__V1alpha3__WorkloadEntry,
            istio__networking__v1alpha3__workload_entry)
PROTO_ALIAS(istio_exec_health_check_config, Istio__Networking__V1alpha3__ExecHealthCheckConfig,
            istio__networking__v1alpha3__exec_health_check_config)
PROTO_ALIAS(istio_grpc_health_check_config, Istio__Networking__V1alpha3__GrpcHealthCheckConfig,
            istio__networking__v1alpha3__grpc_health_check_config)
PROTO_ALIAS(istio_http_header, Istio__Networking__V1alpha3__HTTPHeader, istio__networking__v1alpha3__httpheader)
PROTO_ALIAS(istio_http_health_check_config, Istio__Networking__V1alpha3__HTTPHealthCheckConfig,
            istio__networking__v1alpha3__httphealth_check_config)
PROTO_ALIAS(istio_readiness_probe, Istio__Networking__V1alpha3__ReadinessProbe,
            istio__networking__v1alpha3__readiness_probe)
PROTO_ALIAS(istio_tcp_health_check_config, Istio__Networking__V1alpha3__TCPHealthCheckConfig,
            istio__networking__v1alpha3__tcphealth_check_config)
PROTO_ALIAS(istio_proxy_image, Istio__Networking__V1beta1__ProxyImage, istio__networking__v1beta1__proxy_image)
PROTO_ALIAS(istio_type_workload_selector, Istio__Type__V1beta1__WorkloadSelector,
            istio__type__v1beta1__workload_selector)
PROTO_ALIAS(istio_analysis_message_base, Istio__Analysis__V1alpha1__AnalysisMessageBase,
            istio__analysis__v1alpha1__analysis_message_base)
PROTO_ALIAS(istio_analysis_type, Istio__Analysis__V1alpha1__AnalysisMessageBase__Type,
            istio__analysis__v1alpha1__analysis_message_base__type)
PROTO_ALIAS(istio_wasm_plugin, Istio__Extensions__V1alpha1__WasmPlugin, istio__extensions__v1alpha1__wasm_plugin)
PROTO_ALIAS(istio_wasm_plugin_traffic_selector, Istio__Extensions__V1alpha1__WasmPlugin__TrafficSelector,
            istio__extensions__v1alpha1__wasm_plugin__traffic_selector)
PROTO_ALIAS(istio_vm_config, Istio__Extensions__V1alpha1__VmConfig, istio__extensions__v1alpha1__vm_config)
PROTO_ALIAS(istio_env_var, Istio__Extensions__V1alpha1__EnvVar, istio__extensions__v1alpha1__env_var)
PROTO_ALIAS(istio_status, Istio__Meta__V1alpha1__IstioStatus, istio__meta__v1alpha1__istio_status)
PROTO_ALIAS(istio_status_condition, Istio__Meta__V1alpha1__IstioCondition, istio__meta__v1alpha1__istio_condition)
PROTO_ALIAS(istio_envoy_filter, Istio__Networking__V1alpha3__EnvoyFilter, istio__networking__v1alpha3__envoy_filter)
PROTO_ALIAS(istio_envoy_filter_proxy_match, Istio__Networking__V1alpha3__EnvoyFilter__ProxyMatch,
            istio__networking__v1alpha3__envoy_filter__proxy_match)
PROTO_ALIAS(istio_envoy_filter_cluster_match, Istio__Networking__V1alpha3__EnvoyFilter__ClusterMatch,
            istio__networking__v1alpha3__envoy_filter__cluster_match)
PROTO_ALIAS(istio_envoy_filter_route_configuration_match,
            Istio__Networking__V1alpha3__EnvoyFilter__RouteConfigurationMatch,
            istio__networking__v1alpha3__envoy_filter__route_configuration_match)
PROTO_ALIAS(istio_envoy_filter_route_configuration_match_route_match,
            Istio__Networking__V1alpha3__EnvoyFilter__RouteConfigurationMatch__RouteMatch,
            istio__networking__v1alpha3__envoy_filter__route_configuration_match__route_match)
PROTO_ALIAS(istio_envoy_filter_route_configuration_match_virtual_host_match,
            Istio__Networking__V1alpha3__EnvoyFilter__RouteConfigurationMatch__VirtualHostMatch,
            istio__networking__v1alpha3__envoy_filter__route_configuration_match__virtual_host_match)
PROTO_ALIAS(istio_envoy_filter_listener_match, Istio__Networking__V1alpha3__EnvoyFilter__ListenerMatch,
            istio__networking__v1alpha3__envoy_filter__listener_match)
PROTO_ALIAS(istio_envoy_filter_listener_match_filter_chain_match,
            Istio__Networking__V1alpha3__EnvoyFilter__ListenerMatch__FilterChainMatch,
            istio__networking__v1alpha3__envoy_filter__listener_match__filter_chain_match)
PROTO_ALIAS(istio_envoy_filter_listener_match_filter_match,
            Istio__Networking__V1alpha3__EnvoyFilter__ListenerMatch__FilterMatch,
            istio__networking__v1alpha3__envoy_filter__listener_match__filter_match)
PROTO_ALIAS(istio_envoy_filter_listener_match_sub_filter_match,
            Istio__Networking__V1alpha3__EnvoyFilter__ListenerMatch__SubFilterMatch,
            istio__networking__v1alpha3__envoy_filter__listener_match__sub_filter_match)
PROTO_ALIAS(istio_envoy_filter_waypoint_match, Istio__Networking__V1alpha3__EnvoyFilter__WaypointMatch,
            istio__networking__v1alpha3__envoy_filter__waypoint_match)
PROTO_ALIAS(istio_envoy_filter_waypoint_match_route_match,
            Istio__Networking__V1alpha3__EnvoyFilter__WaypointMatch__RouteMatch,
            istio__networking__v1alpha3__envoy_filter__waypoint_match__route_match)
PROTO_ALIAS(istio_envoy_filter_waypoint_match_filter_match,
            Istio__Networking__V1alpha3__EnvoyFilter__WaypointMatch__FilterMatch,
            istio__networking__v1alpha3__envoy_filter__waypoint_match__filter_match)
PROTO_ALIAS(istio_envoy_filter_waypoint_match_filter_match_sub_filter_match,
            Istio__Networking__V1alpha3__EnvoyFilter__WaypointMatch__FilterMatch__SubFilterMatch,
            istio__networking__v1alpha3__envoy_filter__waypoint_match__filter_match__sub_filter_match)
PROTO_ALIAS(istio_envoy_filter_patch, Istio__Networking__V1alpha3__EnvoyFilter__Patch,
            istio__networking__v1alpha3__envoy_filter__patch)
PROTO_ALIAS(istio_envoy_filter_envoy_config_object_match,
            Istio__Networking__V1alpha3__EnvoyFilter__EnvoyConfigObjectMatch,
            istio__networking__v1alpha3__envoy_filter__envoy_config_object_match)
PROTO_ALIAS(istio_envoy_filter_envoy_config_object_patch,
            Istio__Networking__V1alpha3__EnvoyFilter__EnvoyConfigObjectPatch,
            istio__networking__v1alpha3__envoy_filter__envoy_config_object_patch)
PROTO_ALIAS(istio_sidecar, Istio__Networking__V1alpha3__Sidecar, istio__networking__v1alpha3__sidecar)
PROTO_ALIAS(istio_ingress_listener, Istio__Networking__V1alpha3__IstioIngressListener,
            istio__networking__v1alpha3__istio_ingress_listener)
PROTO_ALIAS(istio_egress_listener, Istio__Networking__V1alpha3__IstioEgressListener,
            istio__networking__v1alpha3__istio_egress_listener)
PROTO_ALIAS(istio_outbound_traffic_policy, Istio__Networking__V1alpha3__OutboundTrafficPolicy,
            istio__networking__v1alpha3__outbound_traffic_policy)
PROTO_ALIAS(istio_sidecar_port, Istio__Networking__V1alpha3__SidecarPort, istio__networking__v1alpha3__sidecar_port)
PROTO_ALIAS(istio_workload_group, Istio__Networking__V1alpha3__WorkloadGroup,
            istio__networking__v1alpha3__workload_group)
PROTO_ALIAS(istio_workload_group_object_meta, Istio__Networking__V1alpha3__WorkloadGroup__ObjectMeta,
            istio__networking__v1alpha3__workload_group__object_meta)
PROTO_ALIAS(istio_networking_proxy_config, Istio__Networking__V1beta1__ProxyConfig,
            istio__networking__v1beta1__proxy_config)
PROTO_ALIAS(istio_authorization_policy, Istio__Security__V1beta1__AuthorizationPolicy,
            istio__security__v1beta1__authorization_policy)
PROTO_ALIAS(istio_authorization_policy_extension_provider,
            Istio__Security__V1beta1__AuthorizationPolicy__ExtensionProvider,
            istio__security__v1beta1__authorization_policy__extension_provider)
PROTO_ALIAS(istio_authorization_rule, Istio__Security__V1beta1__Rule, istio__security__v1beta1__rule)
PROTO_ALIAS(istio_authorization_rule_from, Istio__Security__V1beta1__Rule__From, istio__security__v1beta1__rule__from)
PROTO_ALIAS(istio_authorization_rule_to, Istio__Security__V1beta1__Rule__To, istio__security__v1beta1__rule__to)
PROTO_ALIAS(istio_authorization_source, Istio__Security__V1beta1__Source, istio__security__v1beta1__source)
PROTO_ALIAS(istio_authorization_operation, Istio__Security__V1beta1__Operation, istio__security__v1beta1__operation)
PROTO_ALIAS(istio_authorization_condition, Istio__Security__V1beta1__Condition, istio__security__v1beta1__condition)
PROTO_ALIAS(istio_peer_authentication, Istio__Security__V1beta1__PeerAuthentication,
            istio__security__v1beta1__peer_authentication)
PROTO_ALIAS(istio_peer_authentication_mutual_tls, Istio__Security__V1beta1__PeerAuthentication__MutualTLS,
            istio__security__v1beta1__peer_authentication__mutual_tls)
PROTO_ALIAS(istio_request_authentication, Istio__Security__V1beta1__RequestAuthentication,
            istio__security__v1beta1__request_authentication)
PROTO_ALIAS(istio_jwt_rule, Istio__Security__V1beta1__JWTRule, istio__security__v1beta1__jwtrule)
PROTO_ALIAS(istio_jwt_header, Istio__Security__V1beta1__JWTHeader, istio__security__v1beta1__jwtheader)
PROTO_ALIAS(istio_claim_to_header, Istio__Security__V1beta1__ClaimToHeader, istio__security__v1beta1__claim_to_header)
PROTO_ALIAS(istio_telemetry, Istio__Telemetry__V1alpha1__Telemetry, istio__telemetry__v1alpha1__telemetry)
PROTO_ALIAS(istio_telemetry_tracing, Istio__Telemetry__V1alpha1__Tracing, istio__telemetry__v1alpha1__tracing)
PROTO_ALIAS(istio_telemetry_tracing_tracing_selector, Istio__Telemetry__V1alpha1__Tracing__TracingSelector,
            istio__telemetry__v1alpha1__tracing__tracing_selector)
PROTO_ALIAS(istio_telemetry_tracing_custom_tag, Istio__Telemetry__V1alpha1__Tracing__CustomTag,
            istio__telemetry__v1alpha1__tracing__custom_tag)
PROTO_ALIAS(istio_telemetry_tracing_literal, Istio__Telemetry__V1alpha1__Tracing__Literal,
            istio__telemetry__v1alpha1__tracing__literal)
PROTO_ALIAS(istio_telemetry_tracing_environment, Istio__Telemetry__V1alpha1__Tracing__Environment,
            istio__telemetry__v1alpha1__tracing__environment)
PROTO_ALIAS(istio_telemetry_tracing_request_header, Istio__Telemetry__V1alpha1__Tracing__RequestHeader,
            istio__telemetry__v1alpha1__tracing__request_header)
PROTO_ALIAS(istio_telemetry_tracing_formatter, Istio__Telemetry__V1alpha1__Tracing__Formatter,
            istio__telemetry__v1alpha1__tracing__formatter)
PROTO_ALIAS(istio_provider_ref, Istio__Telemetry__V1alpha1__ProviderRef, istio__telemetry__v1alpha1__provider_ref)
PROTO_ALIAS(istio_metrics, Istio__Telemetry__V1alpha1__Metrics, istio__telemetry__v1alpha1__metrics)
PROTO_ALIAS(istio_metric_selector, Istio__Telemetry__V1alpha1__MetricSelector,
            istio__telemetry__v1alpha1__metric_selector)
PROTO_ALIAS(istio_metrics_overrides, Istio__Telemetry__V1alpha1__MetricsOverrides,
            istio__telemetry__v1alpha1__metrics_overrides)
PROTO_ALIAS(istio_metrics_overrides_tag_override, Istio__Telemetry__V1alpha1__MetricsOverrides__TagOverride,
            istio__telemetry__v1alpha1__metrics_overrides__tag_override)
PROTO_ALIAS(istio_access_logging, Istio__Telemetry__V1alpha1__AccessLogging, istio__telemetry__v1alpha1__access_logging)
PROTO_ALIAS(istio_access_logging_log_selector, Istio__Telemetry__V1alpha1__AccessLogging__LogSelector,
            istio__telemetry__v1alpha1__access_logging__log_selector)
PROTO_ALIAS(istio_access_logging_filter, Istio__Telemetry__V1alpha1__AccessLogging__Filter,
            istio__telemetry__v1alpha1__access_logging__filter)
PROTO_ALIAS(istio_type_port_selector, Istio__Type__V1beta1__PortSelector, istio__type__v1beta1__port_selector)
PROTO_ALIAS(istio_policy_target_reference, Istio__Type__V1beta1__PolicyTargetReference,
            istio__type__v1beta1__policy_target_reference)
PROTO_ALIAS(istio_traffic_extension, Istio__Extensions__V1alpha1__TrafficExtension,
            istio__extensions__v1alpha1__traffic_extension)
PROTO_ALIAS(istio_wasm_config, Istio__Extensions__V1alpha1__WasmConfig, istio__extensions__v1alpha1__wasm_config)
PROTO_ALIAS(istio_lua_config, Istio__Extensions__V1alpha1__LuaConfig, istio__extensions__v1alpha1__lua_config)
PROTO_ALIAS(istio_traffic_selector, Istio__Extensions__V1alpha1__TrafficSelector,
            istio__extensions__v1alpha1__traffic_selector)
PROTO_ALIAS(istio_certificate_request, Istio__V1__Auth__IstioCertificateRequest,
            istio__v1__auth__istio_certificate_request)
PROTO_ALIAS(istio_certificate_response, Istio__V1__Auth__IstioCertificateResponse,
            istio__v1__auth__istio_certificate_response)
