#include "proto/codec.h"

#include "base/yaml.h"
#include "proto/envoy.h"
#include "proto/istio.h"
#include "proto/kubernetes.h"
#include "proto/pack.h"
#include "tests/unit/unit.h"

#define VIRTUAL_SERVICE &istio__networking__v1alpha3__virtual_service__descriptor
#define DESTINATION_RULE &istio__networking__v1alpha3__destination_rule__descriptor
#define LOAD_BALANCER &istio__networking__v1alpha3__load_balancer_settings__descriptor
#define SERVICE &k8s__io__api__core__v1__service__descriptor
#define DURATION &google__protobuf__duration__descriptor
#define TIMESTAMP &google__protobuf__timestamp__descriptor
#define STRUCT &google__protobuf__struct__descriptor
#define VALUE &google__protobuf__value__descriptor
#define ANY &google__protobuf__any__descriptor
#define PEER_AUTHENTICATION &istio__security__v1beta1__peer_authentication__descriptor
#define MESH_CONFIG &istio__mesh__v1alpha1__mesh_config__descriptor

struct row {
	const char *name;
	const ProtobufCMessageDescriptor *type;
	const char *in;     /* YAML, of which JSON is a part */
	const char *want;   /* the message as printed */
	const char *issues; /* "path: message" a line; NULL: none */
	bool is_open;
};

static const struct json *parse(struct arena *arena, const char *in)
{
	struct yaml_reader reader;
	struct yaml_document document;
	yaml_reader_init(&reader, in, strlen(in));
	ck_assert_msg(yaml_reader_next(&reader, arena, &document), "no document");
	ck_assert_msg(document.value != NULL, "%s", document.error.message);
	return document.value;
}

static void check_row(const struct row *row)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text out = {0}, issues = {0};
	struct codec_issues found = {0};
	struct codec_options options = {.path = "spec", .is_open = row->is_open};
	ProtobufCMessage *message = codec_decode(arena, row->type, parse(arena, row->in), &options, &found);
	for (size_t i = 0; i < found.n; i++)
		text_printf(&issues, "%s%s: %s", i ? "\n" : "", found.v[i].path, found.v[i].message);
	ck_assert_msg(strcmp(text_get(&issues), row->issues ? row->issues : "") == 0, "%s: issues\n%s\nwant\n%s",
	              row->name, text_get(&issues), row->issues);
	codec_print(message, 0, &out);
	ck_assert_msg(strcmp(text_get(&out), row->want) == 0, "%s: got %s want %s", row->name, text_get(&out),
	              row->want);

	/* printed, read and printed again, and over the wire: the same bytes */
	CLEANUP(text_done) struct text again = {0}, wire = {0};
	struct codec_issues none = {0};
	codec_print(codec_decode(arena, row->type, parse(arena, text_get(&out)), NULL, &none), 0, &again);
	ck_assert_msg(none.n == 0, "%s: %s: %s", row->name, none.v[0].path, none.v[0].message);
	ck_assert_str_eq(text_get(&again), row->want);
	struct bytes bytes = pack(arena, message);
	struct error error;
	ProtobufCMessage *unpacked = unpack(arena, row->type, bytes.data, bytes.n, &error);
	ck_assert_msg(unpacked != NULL, "%s: %s", row->name, error.message);
	codec_print(unpacked, 0, &wire);
	ck_assert_str_eq(text_get(&wire), row->want);
}

#define CHECK_ROWS(rows)                                                                                               \
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows)[0]; i++)                                                    \
	check_row(&(rows)[i])

START_TEST(test_messages)
{
	static const struct row rows[] = {
	    {.name = "empty", .type = VIRTUAL_SERVICE, .in = "{}", .want = "{}"},
	    {.name = "both kinds of names",
	     .type = VIRTUAL_SERVICE,
	     .in = "{export_to: ['.'], hosts: [a, b]}",
	     .want = "{\"hosts\":[\"a\",\"b\"],\"exportTo\":[\".\"]}"},
	    {.name = "camel case", .type = VIRTUAL_SERVICE, .in = "exportTo: ['*']", .want = "{\"exportTo\":[\"*\"]}"},
	    {.name = "names with digits and capitals",
	     .type = MESH_CONFIG,
	     .in = "{meshMTLS: {minProtocolVersion: TLSV1_3}, defaultConfig: {proxyHeaders: "
	           "{preserveHttp1HeaderCase: true}}}",
	     .want = "{\"defaultConfig\":{\"proxyHeaders\":{\"preserveHttp1HeaderCase\":true}},\"meshMTLS\":{"
	             "\"minProtocolVersion\":\"TLSV1_3\"}}"},
	    {.name = "a digit after an underscore",
	     .type = DESTINATION_RULE,
	     .in = "trafficPolicy: {outlierDetection: {consecutive5xxErrors: 7, interval: 5m}}",
	     .want = "{\"trafficPolicy\":{\"outlierDetection\":{\"interval\":\"300s\",\"consecutive5xxErrors\":7}}}"},
	    {.name = "nested lists and messages",
	     .type = VIRTUAL_SERVICE,
	     .in = "http:\n- match:\n  - uri: {prefix: /a}\n  - uri: {exact: /b}\n  route:\n  - destination: {host: x, "
	           "port: {number: 80}}\n    weight: 90\n",
	     .want = "{\"http\":[{\"match\":[{\"uri\":{\"prefix\":\"/a\"}},{\"uri\":{\"exact\":\"/b\"}}],\"route\":["
	             "{\"destination\":{\"host\":\"x\",\"port\":{\"number\":80}},\"weight\":90}]}]}"},
	    {.name = "null is absent",
	     .type = VIRTUAL_SERVICE,
	     .in = "{hosts: null, http: [{timeout: null, route: ~}]}",
	     .want = "{\"http\":[{}]}"},
	    {.name = "an empty message is not an absent one",
	     .type = DESTINATION_RULE,
	     .in = "trafficPolicy: {tls: {}}",
	     .want = "{\"trafficPolicy\":{\"tls\":{}}}"},
	    {.name = "defaults are left out",
	     .type = DESTINATION_RULE,
	     .in = "{host: '', trafficPolicy: {tls: {mode: DISABLE, sni: ''}}}",
	     .want = "{\"trafficPolicy\":{\"tls\":{}}}"},
	    {.name = "maps are sorted",
	     .type = DESTINATION_RULE,
	     .in = "subsets: [{name: v, labels: {b: '2', a: '1', c: '3'}}]",
	     .want = "{\"subsets\":[{\"name\":\"v\",\"labels\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}}]}"},
	    {.name = "a map by numbers, sorted as text",
	     .type = PEER_AUTHENTICATION,
	     .in = "portLevelMtls: {9080: {}, '80': {}, 4294967295: {}}",
	     .want = "{\"portLevelMtls\":{\"4294967295\":{},\"80\":{},\"9080\":{}}}"},
	    {.name = "a map of messages",
	     .type = MESH_CONFIG,
	     .in = "defaultConfig: {tracing: {customTags: {b: {literal: {value: x}}, a: {header: {name: h}}}}}",
	     .want = "{\"defaultConfig\":{\"tracing\":{\"customTags\":{\"a\":{\"header\":{\"name\":\"h\"}},\"b\":{"
	             "\"literal\":{\"value\":\"x\"}}}}}}"},
	    {.name = "a member of a oneof at its default is set",
	     .type = LOAD_BALANCER,
	     .in = "{consistentHash: {useSourceIp: false}}",
	     .want = "{\"consistentHash\":{\"useSourceIp\":false}}"},
	    {.name = "an enum by number",
	     .type = LOAD_BALANCER,
	     .in = "simple: 4",
	     .want = "{\"simple\":\"ROUND_ROBIN\"}"},
	    {.name = "an enum's default in a oneof",
	     .type = LOAD_BALANCER,
	     .in = "simple: UNSPECIFIED",
	     .want = "{\"simple\":\"UNSPECIFIED\"}"},
	    {.name = "null in a oneof sets nothing",
	     .type = LOAD_BALANCER,
	     .in = "{simple: null, consistentHash: {useSourceIp: true}}",
	     .want = "{\"consistentHash\":{\"useSourceIp\":true}}"},
	};
	CHECK_ROWS(rows);
}
END_TEST

START_TEST(test_scalars)
{
	static const struct row rows[] = {
	    {.name = "integers in every form",
	     .type = DESTINATION_RULE,
	     .in = "trafficPolicy: {connectionPool: {tcp: {maxConnections: '12'}, http: {maxRetries: 3.0, "
	           "http1MaxPendingRequests: 1e3, http2MaxRequests: -2147483648}}}",
	     .want = "{\"trafficPolicy\":{\"connectionPool\":{\"tcp\":{\"maxConnections\":12},\"http\":{"
	             "\"http1MaxPendingRequests\":1000,\"http2MaxRequests\":-2147483648,\"maxRetries\":3}}}}"},
	    {.name = "64-bit integers are strings",
	     .type = LOAD_BALANCER,
	     .in = "consistentHash: {minimumRingSize: 18446744073709551615}",
	     .want = "{\"consistentHash\":{\"minimumRingSize\":\"18446744073709551615\"}}"},
	    {.name = "wrappers",
	     .type = DESTINATION_RULE,
	     .in = "trafficPolicy: {outlierDetection: {consecutiveGatewayErrors: 0}, retryBudget: {percent: 12.5}, "
	           "tls: {insecureSkipVerify: false}}",
	     .want = "{\"trafficPolicy\":{\"outlierDetection\":{\"consecutiveGatewayErrors\":0},\"tls\":{"
	             "\"insecureSkipVerify\":false},\"retryBudget\":{\"percent\":12.5}}}"},
	    {.name = "a repeated number",
	     .type = DESTINATION_RULE,
	     .in = "trafficPolicy: {outlierDetection: {outlierDetectionHttpErrorCodes: [500, '503']}}",
	     .want = "{\"trafficPolicy\":{\"outlierDetection\":{\"outlierDetectionHttpErrorCodes\":[500,503]}}}"},
	    {.name = "a string with escapes",
	     .type = DESTINATION_RULE,
	     .in = "host: \"a\\\"\\n\\u00e9\"",
	     .want = "{\"host\":\"a\\\"\\n\xc3\xa9\"}"},
	    {.name = "bytes",
	     .type = &google__protobuf__bytes_value__descriptor,
	     .in = "AQI_-w",
	     .want = "\"AQI/+w==\""},
	    {.name = "doubles", .type = VALUE, .in = "0.1", .want = "0.1"},
	    {.name = "a double of 17 digits",
	     .type = VALUE,
	     .in = "0.30000000000000004",
	     .want = "0.30000000000000004"},
	    {.name = "a float", .type = &google__protobuf__float_value__descriptor, .in = "0.1", .want = "0.1"},
	    {.name = "infinity",
	     .type = &google__protobuf__double_value__descriptor,
	     .in = "'-Infinity'",
	     .want = "\"-Infinity\""},
	};
	CHECK_ROWS(rows);
}
END_TEST

START_TEST(test_wellknown)
{
	static const struct row rows[] = {
	    {.name = "seconds", .type = DURATION, .in = "10s", .want = "\"10s\""},
	    {.name = "a fraction", .type = DURATION, .in = "1.5s", .want = "\"1.500s\""},
	    {.name = "milliseconds", .type = DURATION, .in = "250ms", .want = "\"0.250s\""},
	    {.name = "microseconds", .type = DURATION, .in = "\"1us\"", .want = "\"0.000001s\""},
	    {.name = "the micro sign", .type = DURATION, .in = "\"7\xc2\xb5s\"", .want = "\"0.000007s\""},
	    {.name = "nanoseconds", .type = DURATION, .in = "1ns", .want = "\"0.000000001s\""},
	    {.name = "Go's form", .type = DURATION, .in = "1h2m3s", .want = "\"3723s\""},
	    {.name = "negative", .type = DURATION, .in = "\"-1.5s\"", .want = "\"-1.500s\""},
	    {.name = "negative below one", .type = DURATION, .in = "\"-0.25s\"", .want = "\"-0.250s\""},
	    {.name = "zero", .type = DURATION, .in = "\"0\"", .want = "\"0s\""},
	    {.name = "no whole part", .type = DURATION, .in = "\".5s\"", .want = "\"0.500s\""},
	    {.name = "no fraction", .type = DURATION, .in = "\"5.s\"", .want = "\"5s\""},
	    {.name = "longest", .type = DURATION, .in = "315576000000s", .want = "\"315576000000s\""},
	    {.name = "many digits", .type = DURATION, .in = "0.1234567891234567s", .want = "\"0.123456789s\""},
	    {.name = "a time", .type = TIMESTAMP, .in = "'2024-02-29T12:34:56Z'", .want = "\"2024-02-29T12:34:56Z\""},
	    {.name = "a time with an offset",
	     .type = TIMESTAMP,
	     .in = "'2024-01-01T00:30:00.5+01:00'",
	     .want = "\"2023-12-31T23:30:00.500Z\""},
	    {.name = "a time before 1970",
	     .type = TIMESTAMP,
	     .in = "'1969-12-31T23:59:59.999999999Z'",
	     .want = "\"1969-12-31T23:59:59.999999999Z\""},
	    {.name = "the first time",
	     .type = TIMESTAMP,
	     .in = "'0001-01-01T00:00:00Z'",
	     .want = "\"0001-01-01T00:00:00Z\""},
	    {.name = "the last time",
	     .type = TIMESTAMP,
	     .in = "'9999-12-31T23:59:59Z'",
	     .want = "\"9999-12-31T23:59:59Z\""},
	    {.name = "a Struct, sorted",
	     .type = STRUCT,
	     .in = "{z: 1, a: [true, null, {}], m: {x: w}}",
	     .want = "{\"a\":[true,null,{}],\"m\":{\"x\":\"w\"},\"z\":1}"},
	    {.name = "a null Value in a Struct", .type = STRUCT, .in = "{a: null}", .want = "{\"a\":null}"},
	    {.name = "a large number", .type = VALUE, .in = "1e300", .want = "1e+300"},
	    {.name = "an empty Any", .type = ANY, .in = "{}", .want = "{}"},
	    {.name = "an Any",
	     .type = ANY,
	     .in = "{'@type': type.googleapis.com/istio.networking.v1alpha3.WorkloadEntry, address: 1.2.3.4}",
	     .want = "{\"@type\":\"type.googleapis.com/"
	             "istio.networking.v1alpha3.WorkloadEntry\",\"address\":\"1.2.3.4\"}"},
	    {.name = "an Any of a type with a JSON of its own",
	     .type = ANY,
	     .in = "{'@type': type.googleapis.com/google.protobuf.Duration, value: 1s}",
	     .want = "{\"@type\":\"type.googleapis.com/google.protobuf.Duration\",\"value\":\"1s\"}"},
	    {.name = "base64 of every kind of digit",
	     .type = &google__protobuf__bytes_value__descriptor,
	     .in = "'AZaz09+/'",
	     .want = "\"AZaz09+/\""},
	    {.name = "a large whole number as a double",
	     .type = &google__protobuf__double_value__descriptor,
	     .in = "18446744073709551615",
	     .want = "1.8446744073709552e+19"},
	    {.name = "not a number",
	     .type = &google__protobuf__double_value__descriptor,
	     .in = "'NaN'",
	     .want = "\"NaN\""},
	    {.name = "an Any in an Any",
	     .type = ANY,
	     .in = "{'@type': x/google.protobuf.Any, value: {'@type': x/google.protobuf.StringValue, value: v}}",
	     .want = "{\"@type\":\"type.googleapis.com/google.protobuf.Any\",\"value\":{\"@type\":"
	             "\"type.googleapis.com/google.protobuf.StringValue\",\"value\":\"v\"}}"},
	};
	CHECK_ROWS(rows);
}
END_TEST

START_TEST(test_kubernetes)
{
	static const struct row rows[] = {
	    {.name = "a Service; fields that we do not hold are left out",
	     .type = SERVICE,
	     .is_open = true,
	     .in = "{apiVersion: v1, kind: Service, metadata: {name: a, generation: 3, creationTimestamp: "
	           "'2024-01-02T03:04:05Z', managedFields: [{x: 1}]}, spec: {clusterIP: '', ports: [{port: 80, "
	           "targetPort: 8080}, {port: 81, targetPort: http}], sessionAffinity: None}}",
	     .want = "{\"metadata\":{\"name\":\"a\",\"generation\":3,\"creationTimestamp\":\"2024-01-02T03:04:05Z\"},"
	             "\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":8080},{\"port\":81,\"targetPort\":\"http\"}],"
	             "\"clusterIP\":\"\"}}"},
	    {.name = "zero and false are said",
	     .type = SERVICE,
	     .in = "spec: {publishNotReadyAddresses: false, ports: [{nodePort: 0}]}",
	     .want = "{\"spec\":{\"ports\":[{\"nodePort\":0}],\"publishNotReadyAddresses\":false}}"},
	    {.name = "mistakes in what we hold are still said",
	     .type = SERVICE,
	     .is_open = true,
	     .in = "spec: {ports: [{port: '80', targetPort: 1.5, x: y}]}",
	     .want = "{\"spec\":{\"ports\":[{}]}}",
	     .issues = "spec.spec.ports[0].port: expected a number, got a string\n"
	               "spec.spec.ports[0].targetPort: expected an integer, got 1.5"},
	    {.name = "a bad time",
	     .type = SERVICE,
	     .in = "metadata: {creationTimestamp: yesterday}",
	     .want = "{\"metadata\":{}}",
	     .issues = "spec.metadata.creationTimestamp: expected a time such as \"2006-01-02T15:04:05Z\", got "
	               "\"yesterday\""},
	};
	CHECK_ROWS(rows);
}
END_TEST

START_TEST(test_issues)
{
	static const struct row rows[] = {
	    {.name = "not an object",
	     .type = VIRTUAL_SERVICE,
	     .in = "[]",
	     .want = "{}",
	     .issues = "spec: expected an object, got an array"},
	    {.name = "every mistake, each with its path",
	     .type = VIRTUAL_SERVICE,
	     .in = "{hosts: [a, 5], http: [{match: [{}, {uri: {prefix: [x]}}], timeout: soon, route: x}]}",
	     .want = "{\"hosts\":[\"a\",\"\"],\"http\":[{\"match\":[{},{\"uri\":{}}]}]}",
	     .issues = "spec.hosts[1]: expected a string, got an integer\n"
	               "spec.http[0].match[1].uri.prefix: expected a string, got an array\n"
	               "spec.http[0].timeout: expected a duration such as \"10s\", \"1.5s\" or \"1h2m\", got \"soon\"\n"
	               "spec.http[0].route: expected an array, got a string"},
	    {.name = "unknown fields, with a likely meaning",
	     .type = VIRTUAL_SERVICE,
	     .in = "{host: a, zzz: 1, http: [{timeOut: 1s}]}",
	     .want = "{\"http\":[{}]}",
	     .issues = "spec.host: unknown field \"host\": did you mean \"hosts\"?\n"
	               "spec.zzz: unknown field \"zzz\"\n"
	               "spec.http[0].timeOut: unknown field \"timeOut\": did you mean \"timeout\"?"},
	    {.name = "a mixture of the two kinds of names is neither",
	     .type = MESH_CONFIG,
	     .in = "mesh_MTLS: {}",
	     .want = "{}",
	     .issues = "spec.mesh_MTLS: unknown field \"mesh_MTLS\": did you mean \"meshMTLS\"?"},
	    {.name = "one field under both names",
	     .type = VIRTUAL_SERVICE,
	     .in = "{exportTo: [a], export_to: [b]}",
	     .want = "{\"exportTo\":[\"a\"]}",
	     .issues = "spec.export_to: given twice, under both of its names"},
	    {.name = "two members of a oneof",
	     .type = LOAD_BALANCER,
	     .in = "{simple: RANDOM, consistentHash: {}}",
	     .want = "{\"simple\":\"RANDOM\"}",
	     .issues = "spec.consistentHash: cannot be set together with \"simple\""},
	    {.name = "unknown enum values",
	     .type = LOAD_BALANCER,
	     .in = "simple: FASTEST",
	     .want = "{}",
	     .issues = "spec.simple: unknown value \"FASTEST\": expected one of UNSPECIFIED, LEAST_CONN, RANDOM, "
	               "PASSTHROUGH, "
	               "ROUND_ROBIN, LEAST_REQUEST"},
	    {.name = "an enum's unknown number",
	     .type = LOAD_BALANCER,
	     .in = "simple: 77",
	     .want = "{}",
	     .issues = "spec.simple: unknown value 77: expected one of UNSPECIFIED, LEAST_CONN, RANDOM, PASSTHROUGH, "
	               "ROUND_ROBIN, LEAST_REQUEST"},
	    {.name = "an enum of a wrong type",
	     .type = LOAD_BALANCER,
	     .in = "simple: true",
	     .want = "{}",
	     .issues = "spec.simple: expected one of UNSPECIFIED, LEAST_CONN, RANDOM, PASSTHROUGH, ROUND_ROBIN, "
	               "LEAST_REQUEST, got a boolean"},
	    {.name = "numbers out of range",
	     .type = DESTINATION_RULE,
	     .in = "trafficPolicy: {tunnel: {targetPort: -1}, connectionPool: {tcp: {maxConnections: 2147483648}}, "
	           "loadBalancer: {consistentHash: {minimumRingSize: -9223372036854775808}}}",
	     .want = "{\"trafficPolicy\":{\"loadBalancer\":{\"consistentHash\":{}},\"connectionPool\":{\"tcp\":{}},"
	             "\"tunnel\":{}}}",
	     .issues = "spec.trafficPolicy.tunnel.targetPort: -1 is out of range (0 to 4294967295)\n"
	               "spec.trafficPolicy.connectionPool.tcp.maxConnections: 2147483648 is out of range "
	               "(-2147483648 to 2147483647)\n"
	               "spec.trafficPolicy.loadBalancer.consistentHash.minimumRingSize: -9223372036854775808 is out "
	               "of range (0 to 18446744073709551615)"},
	    {.name = "numbers that are none",
	     .type = DESTINATION_RULE,
	     .in = "trafficPolicy: {tunnel: {targetPort: eighty}, retryBudget: {percent: much, minRetryConcurrency: "
	           "1.5}}",
	     .want = "{\"trafficPolicy\":{\"tunnel\":{},\"retryBudget\":{}}}",
	     .issues = "spec.trafficPolicy.tunnel.targetPort: expected an integer, got \"eighty\"\n"
	               "spec.trafficPolicy.retryBudget.percent: expected a number, got a string\n"
	               "spec.trafficPolicy.retryBudget.minRetryConcurrency: expected an integer, got 1.5"},
	    {.name = "a map's value",
	     .type = DESTINATION_RULE,
	     .in = "subsets: [{labels: {version: 1, a/b: x, none: null}}]",
	     .want = "{\"subsets\":[{\"labels\":{\"a/b\":\"x\"}}]}",
	     .issues = "spec.subsets[0].labels[version]: expected a string, got an integer\n"
	               "spec.subsets[0].labels[none]: expected a string, got null"},
	    {.name = "a map's key that is no number, or written otherwise",
	     .type = PEER_AUTHENTICATION,
	     .in = "portLevelMtls: {4294967296: {}, '080': {}}",
	     .want = "{}",
	     .issues = "spec.portLevelMtls[4294967296]: 4294967296 is out of range (0 to 4294967295)\n"
	               "spec.portLevelMtls[080]: as a key, this number is written \"80\""},
	    {.name = "null in a list",
	     .type = VIRTUAL_SERVICE,
	     .in = "hosts: [a, null]",
	     .want = "{\"hosts\":[\"a\",\"\"]}",
	     .issues = "spec.hosts[1]: expected a string, got null"},
	    {.name = "a wrapper is not an object",
	     .type = DESTINATION_RULE,
	     .in = "trafficPolicy: {outlierDetection: {consecutiveGatewayErrors: {value: 1}}}",
	     .want = "{\"trafficPolicy\":{\"outlierDetection\":{}}}",
	     .issues =
	         "spec.trafficPolicy.outlierDetection.consecutiveGatewayErrors: expected an integer, got an object"},
	    {.name = "long text is cut, at a character",
	     .type = DESTINATION_RULE,
	     .in = "x\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	           "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	           "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9: 1",
	     .want = "{}",
	     .issues = "spec.x\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	               "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	               "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9...: unknown field "
	               "\"x\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	               "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	               "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9...\""},
	    {.name = "bad base64",
	     .type = &google__protobuf__bytes_value__descriptor,
	     .in = "'a*b'",
	     .want = "\"\"",
	     .issues = "spec: expected base64"},
	    {.name = "an Any without a type",
	     .type = ANY,
	     .in = "{address: x}",
	     .want = "{}",
	     .issues = "spec: expected \"@type\" with the type of the message"},
	    {.name = "an Any of an unknown type",
	     .type = ANY,
	     .in = "{'@type': type.googleapis.com/no.Such}",
	     .want = "{}",
	     .issues = "spec: unknown \"@type\" \"type.googleapis.com/no.Such\""},
	    {.name = "an Any whose type has a JSON of its own, without it",
	     .type = ANY,
	     .in = "{'@type': x/google.protobuf.Duration}",
	     .want = "{}",
	     .issues = "spec: expected \"value\" beside \"@type\""},
	    {.name = "an Any with a wrong value",
	     .type = ANY,
	     .in = "{'@type': x/google.protobuf.Duration, value: soon}",
	     .want = "{}",
	     .issues = "spec.value: expected a duration such as \"10s\", \"1.5s\" or \"1h2m\", got \"soon\""},
	    {.name = "an Any that is no object",
	     .type = ANY,
	     .in = "x",
	     .want = "{}",
	     .issues = "spec: expected an object, got a string"},
	    {.name = "an unknown field in an Any",
	     .type = ANY,
	     .in = "{'@type': x/istio.networking.v1alpha3.WorkloadEntry, adress: x}",
	     .want = "{\"@type\":\"type.googleapis.com/istio.networking.v1alpha3.WorkloadEntry\"}",
	     .issues = "spec.adress: unknown field \"adress\": did you mean \"address\"?"},
	};
	CHECK_ROWS(rows);
}
END_TEST

START_TEST(test_bad_text)
{
	static const struct {
		const ProtobufCMessageDescriptor *type;
		const char *in;
	} rows[] = {
	    {DURATION, "\"\""},
	    {DURATION, "\"s\""},
	    {DURATION, "\"10\""},
	    {DURATION, "\"1.5\""},
	    {DURATION, "\"1 s\""},
	    {DURATION, "\"1d\""},
	    {DURATION, "\"--1s\""},
	    {DURATION, "\"1s1\""},
	    {DURATION, "\".s\""},
	    {DURATION, "\"315576000001s\""},
	    {DURATION, "\"99999999999999999999999999999999999999999h\""},
	    {DURATION, "10"},
	    {TIMESTAMP, "'2024-01-01'"},
	    {TIMESTAMP, "'2023-02-29T00:00:00Z'"},
	    {TIMESTAMP, "'1900-02-29T00:00:00Z'"},
	    {TIMESTAMP, "'2024-13-01T00:00:00Z'"},
	    {TIMESTAMP, "'2024-01-01T24:00:00Z'"},
	    {TIMESTAMP, "'2024-01-01T00:00:00'"},
	    {TIMESTAMP, "'2024-01-01T00:00:00.Z'"},
	    {TIMESTAMP, "'2024-01-01T00:00:00Zx'"},
	    {TIMESTAMP, "'2024-01-01T00:00:00+1:00'"},
	    {TIMESTAMP, "'0000-01-01T00:00:00Z'"},
	    {&google__protobuf__double_value__descriptor, "'0x10'"},
	    {&google__protobuf__double_value__descriptor, "'inf'"},
	    {&google__protobuf__double_value__descriptor, "''"},
	    {&google__protobuf__double_value__descriptor, "'1.2.3'"},
	    {&google__protobuf__float_value__descriptor, "1e39"},
	    {&google__protobuf__int64_value__descriptor, "9223372036854775808"},
	    {&google__protobuf__int64_value__descriptor, "'-'"},
	    {&google__protobuf__int64_value__descriptor, "1e30"},
	    {&google__protobuf__bytes_value__descriptor, "'abcde'"},
	    {&google__protobuf__bool_value__descriptor, "'true'"},
	    {&google__protobuf__bytes_value__descriptor, "5"},
	    {TIMESTAMP, "5"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct codec_issues issues = {0};
		codec_decode(arena, rows[i].type, parse(arena, rows[i].in), NULL, &issues);
		ck_assert_msg(issues.n == 1, "%s: %zu issues", rows[i].in, issues.n);
		ck_assert_str_eq(issues.v[0].path, "");
	}
}
END_TEST

START_TEST(test_issue_places)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct codec_issues issues = {0};
	codec_decode(arena, VIRTUAL_SERVICE, parse(arena, "hosts:\n- a\n- 1\nnope: {}\n"), NULL, &issues);
	ck_assert_uint_eq(issues.n, 2);
	ck_assert_str_eq(issues.v[0].path, "hosts[1]");
	ck_assert_uint_eq(issues.v[0].line, 3);
	ck_assert_uint_eq(issues.v[0].column, 3);
	ck_assert(!issues.v[0].is_unknown_field);
	ck_assert_str_eq(issues.v[1].path, "nope");
	ck_assert_uint_eq(issues.v[1].line, 4);
	ck_assert_uint_eq(issues.v[1].column, 1);
	ck_assert(issues.v[1].is_unknown_field);
}
END_TEST

/* The cap is one document's, however many calls decode its parts; what is above it is still decoded. */
START_TEST(test_issues_are_capped)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text in = {0};
	text_add(&in, "hosts: [");
	for (int i = 0; i < CODEC_ISSUES_MAX; i++)
		text_printf(&in, "%d,", i);
	text_add(&in, "last]");
	struct codec_issues issues = {0};
	const struct json *value = parse(arena, text_get(&in));
	codec_decode(arena, VIRTUAL_SERVICE, value, NULL, &issues);
	ck_assert_uint_eq(issues.n, CODEC_ISSUES_MAX);
	ck_assert_str_eq(issues.v[CODEC_ISSUES_MAX - 1].path, "hosts[49]");
	const istio_virtual_service *decoded =
	    (const istio_virtual_service *)codec_decode(arena, VIRTUAL_SERVICE, value, NULL, &issues);
	ck_assert_uint_eq(issues.n, CODEC_ISSUES_MAX);
	ck_assert_str_eq(issues.v[CODEC_ISSUES_MAX - 1].path, "");
	ck_assert_str_eq(issues.v[CODEC_ISSUES_MAX - 1].message, "there were more problems than these; fix them first");
	ck_assert_str_eq(issues.v[CODEC_ISSUES_MAX - 2].path, "hosts[48]");
	ck_assert_str_eq(decoded->hosts[CODEC_ISSUES_MAX], "last");
}
END_TEST

START_TEST(test_depth_is_capped)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct json *value = ARENA_NEW(arena, struct json);
	value->type = JSON_ARRAY;
	for (int i = 0; i < 10000; i++) { /* deeper than any parser lets through */
		struct json *outer = ARENA_NEW(arena, struct json);
		outer->type = JSON_ARRAY;
		outer->array.v = arena_alloc(arena, sizeof(struct json *));
		outer->array.v[0] = value;
		outer->array.n = 1;
		value = outer;
	}
	struct codec_issues issues = {0};
	codec_decode(arena, VALUE, value, NULL, &issues);
	ck_assert_uint_eq(issues.n, 1);
	ck_assert_ptr_nonnull(strstr(issues.v[0].message, "levels deep"));
}
END_TEST

START_TEST(test_nothing_is_an_empty_message)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct codec_issues issues = {0};
	const struct json null = {.type = JSON_NULL};
	ck_assert_ptr_nonnull(codec_decode(arena, VIRTUAL_SERVICE, NULL, NULL, &issues));
	ck_assert_ptr_nonnull(codec_decode(arena, VIRTUAL_SERVICE, &null, NULL, &issues));
	ck_assert_uint_eq(issues.n, 0);
}
END_TEST

START_TEST(test_decoded_lists_grow)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct codec_issues issues = {0};
	istio_virtual_service *decoded = (istio_virtual_service *)codec_decode(
	    arena, VIRTUAL_SERVICE, parse(arena, "hosts: [a, b, c]"), NULL, &issues);
	BUILD_ADD(arena, decoded, hosts, arena_strdup(arena, "d"));
	BUILD_ADD(arena, decoded, hosts, arena_strdup(arena, "e"));
	ck_assert_uint_eq(decoded->n_hosts, 5);
	ck_assert_str_eq(decoded->hosts[2], "c");
	ck_assert_str_eq(decoded->hosts[4], "e");
}
END_TEST

START_TEST(test_order_does_not_matter)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct codec_issues issues = {0};
	struct bytes a =
	    pack(arena, codec_decode(arena, STRUCT, parse(arena, "{a: 1, b: {x: 1, y: 2}}"), NULL, &issues));
	struct bytes b =
	    pack(arena, codec_decode(arena, STRUCT, parse(arena, "{b: {y: 2, x: 1}, a: 1}"), NULL, &issues));
	ck_assert_uint_eq(a.n, b.n);
	ck_assert_mem_eq(a.data, b.data, a.n);
}
END_TEST

UNIT_MAIN("codec", test_messages, test_scalars, test_wellknown, test_kubernetes, test_issues, test_bad_text,
          test_issue_places, test_issues_are_capped, test_depth_is_capped, test_nothing_is_an_empty_message,
          test_decoded_lists_grow, test_order_does_not_matter)
