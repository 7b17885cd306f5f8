#pragma once
/*
 * Short names for the Kubernetes messages in this folder (see alias.h for what each name brings).
 * Kubernetes' protos are proto2: scalars have a has_ flag, strings are NULL when absent.
 */
#include "proto/alias.h"

#include "k8s/io/api/core/v1/core.pb-c.h"
#include "k8s/io/api/discovery/v1/discovery.pb-c.h"
#include "k8s/io/apimachinery/pkg/apis/meta/v1/meta.pb-c.h"
#include "k8s/io/apimachinery/pkg/util/intstr/intstr.pb-c.h"

PROTO_ALIAS(k8s_config_map, K8s__Io__Api__Core__V1__ConfigMap, k8s__io__api__core__v1__config_map)
PROTO_ALIAS(k8s_container, K8s__Io__Api__Core__V1__Container, k8s__io__api__core__v1__container)
PROTO_ALIAS(k8s_container_port, K8s__Io__Api__Core__V1__ContainerPort, k8s__io__api__core__v1__container_port)
PROTO_ALIAS(k8s_core_endpoint_port, K8s__Io__Api__Core__V1__EndpointPort, k8s__io__api__core__v1__endpoint_port)
PROTO_ALIAS(k8s_endpoint_address, K8s__Io__Api__Core__V1__EndpointAddress, k8s__io__api__core__v1__endpoint_address)
PROTO_ALIAS(k8s_endpoint_subset, K8s__Io__Api__Core__V1__EndpointSubset, k8s__io__api__core__v1__endpoint_subset)
PROTO_ALIAS(k8s_endpoints, K8s__Io__Api__Core__V1__Endpoints, k8s__io__api__core__v1__endpoints)
PROTO_ALIAS(k8s_namespace, K8s__Io__Api__Core__V1__Namespace, k8s__io__api__core__v1__namespace)
PROTO_ALIAS(k8s_node, K8s__Io__Api__Core__V1__Node, k8s__io__api__core__v1__node)
PROTO_ALIAS(k8s_object_reference, K8s__Io__Api__Core__V1__ObjectReference, k8s__io__api__core__v1__object_reference)
PROTO_ALIAS(k8s_pod, K8s__Io__Api__Core__V1__Pod, k8s__io__api__core__v1__pod)
PROTO_ALIAS(k8s_pod_condition, K8s__Io__Api__Core__V1__PodCondition, k8s__io__api__core__v1__pod_condition)
PROTO_ALIAS(k8s_pod_ip, K8s__Io__Api__Core__V1__PodIP, k8s__io__api__core__v1__pod_ip)
PROTO_ALIAS(k8s_pod_spec, K8s__Io__Api__Core__V1__PodSpec, k8s__io__api__core__v1__pod_spec)
PROTO_ALIAS(k8s_pod_status, K8s__Io__Api__Core__V1__PodStatus, k8s__io__api__core__v1__pod_status)
PROTO_ALIAS(k8s_secret, K8s__Io__Api__Core__V1__Secret, k8s__io__api__core__v1__secret)
PROTO_ALIAS(k8s_service, K8s__Io__Api__Core__V1__Service, k8s__io__api__core__v1__service)
PROTO_ALIAS(k8s_service_port, K8s__Io__Api__Core__V1__ServicePort, k8s__io__api__core__v1__service_port)
PROTO_ALIAS(k8s_service_spec, K8s__Io__Api__Core__V1__ServiceSpec, k8s__io__api__core__v1__service_spec)
PROTO_ALIAS(k8s_discovery_endpoint_port, K8s__Io__Api__Discovery__V1__EndpointPort,
            k8s__io__api__discovery__v1__endpoint_port)
PROTO_ALIAS(k8s_endpoint, K8s__Io__Api__Discovery__V1__Endpoint, k8s__io__api__discovery__v1__endpoint)
PROTO_ALIAS(k8s_endpoint_conditions, K8s__Io__Api__Discovery__V1__EndpointConditions,
            k8s__io__api__discovery__v1__endpoint_conditions)
PROTO_ALIAS(k8s_endpoint_slice, K8s__Io__Api__Discovery__V1__EndpointSlice, k8s__io__api__discovery__v1__endpoint_slice)
PROTO_ALIAS(k8s_label_selector, K8s__Io__Apimachinery__Pkg__Apis__Meta__V1__LabelSelector,
            k8s__io__apimachinery__pkg__apis__meta__v1__label_selector)
PROTO_ALIAS(k8s_label_selector_requirement, K8s__Io__Apimachinery__Pkg__Apis__Meta__V1__LabelSelectorRequirement,
            k8s__io__apimachinery__pkg__apis__meta__v1__label_selector_requirement)
PROTO_ALIAS(k8s_object_meta, K8s__Io__Apimachinery__Pkg__Apis__Meta__V1__ObjectMeta,
            k8s__io__apimachinery__pkg__apis__meta__v1__object_meta)
PROTO_ALIAS(k8s_time, K8s__Io__Apimachinery__Pkg__Apis__Meta__V1__Time,
            k8s__io__apimachinery__pkg__apis__meta__v1__time)
PROTO_ALIAS(k8s_int_or_string, K8s__Io__Apimachinery__Pkg__Util__Intstr__IntOrString,
            k8s__io__apimachinery__pkg__util__intstr__int_or_string)
