#include "crds/check.h"

#include "base/text.h"
#include "crds/hostname.h"
#include "tests/unit/check_rows.h"
#include "tests/unit/decoded.h"
#include "tests/unit/unit.h"

/* One HTTP route of a sound VirtualService. */
#define CLAIM(gateways, match) "{hosts: [a.b], gateways: [" gateways "], http: [{match: [{" match "}], " TO "}]}"
#define HTTP(route) "{hosts: [a.b], http: [{" route "}]}"
#define TO "route: [{destination: {host: c}}]"

START_TEST(test_virtual_service)
{
	static const struct row rows[] = {
	    {"sound", HTTP(TO), ""},
	    {"nothing", "{hosts: [a]}", "spec"},
	    {"host is an address", "{hosts: [1.2.3.4], http: [{" TO "}]}", ""},
	    {"host with an underscore", "{hosts: [a_b], http: [{" TO "}]}", "spec.hosts[0]"},
	    {"wildcard in the middle", "{hosts: [a.*.b], http: [{" TO "}]}", "spec.hosts[0]"},
	    {"wildcard prefix", "{hosts: ['*.a'], http: [{" TO "}]}", ""},
	    {"any host of the mesh", "{hosts: ['*'], http: [{" TO "}]}", "spec.hosts[0]"},
	    {"any host of a gateway", "{hosts: ['*'], gateways: [g], http: [{" TO "}]}", ""},
	    {"any host of both", "{hosts: ['*'], gateways: [g, mesh], http: [{" TO "}]}", "spec.hosts[0]"},
	    {"hosts overlap", "{hosts: ['*.a.b', c.a.b], http: [{" TO "}]}", "spec.hosts[1]"},
	    {"same host", "{hosts: [a, a], http: [{" TO "}]}", "spec.hosts[1]"},
	    {"delegate", "{http: [{" TO "}]}", ""},
	    {"delegate with gateways", "{gateways: [g], http: [{" TO "}]}", "spec.gateways"},
	    {"gateway of a namespace", "{hosts: [a], gateways: [ns/g], http: [{" TO "}]}", ""},
	    {"gateway without a name", "{hosts: [a], gateways: [ns/], http: [{" TO "}]}", "spec.gateways[0]"},
	    {"gateway, old form", "{hosts: [a], gateways: [g.ns.svc.cluster.local], http: [{" TO "}]}",
	     "~spec.gateways[0]"},
	    {"exportTo", "{hosts: [a], exportTo: ['.', b], http: [{" TO "}]}", ""},
	    {"exportTo twice", "{hosts: [a], exportTo: ['.', here], http: [{" TO "}]}", "spec.exportTo[0]"},
	    {"exportTo all and some", "{hosts: [a], exportTo: ['*', b], http: [{" TO "}]}", "spec.exportTo"},
	    {"exportTo nobody", "{hosts: [a], exportTo: ['~'], http: [{" TO "}]}", "spec.exportTo[0]"},
	    {"exportTo no namespace", "{hosts: [a], exportTo: ['b.c'], http: [{" TO "}]}", "spec.exportTo[0]"},
	    {"tls", "{hosts: [a.b], tls: [{match: [{sniHosts: [a.b], port: 443}], " TO "}]}", ""},
	    {"tls without a match", "{hosts: [a.b], tls: [{" TO "}]}", "spec.tls[0].match"},
	    {"tls of another host", "{hosts: [a.b], tls: [{match: [{sniHosts: [c.b]}], " TO "}]}",
	     "spec.tls[0].match[0].sniHosts[0]"},
	    {"tls wildcard within a wildcard", "{hosts: ['*.b'], tls: [{match: [{sniHosts: ['*.a.b']}], " TO "}]}", ""},
	    {"tls subnet",
	     "{hosts: [a.b], tls: [{match: [{sniHosts: [a.b], destinationSubnets: [10.0.0.0/40]}], " TO "}]}",
	     "spec.tls[0].match[0].destinationSubnets[0]"},
	    {"tcp", "{hosts: [a.b], tcp: [{match: [{port: 70000}], " TO "}]}", "spec.tcp[0].match[0].port"},
	    {"tcp weights", "{hosts: [a.b], tcp: [{route: [{destination: {host: c}}, {destination: {host: d}}]}]}",
	     "spec.tcp[0].route"},
	    {"tcp negative weight", "{hosts: [a.b], tcp: [{route: [{destination: {host: c}, weight: -1}]}]}",
	     "spec.tcp[0].route[0].weight"},
	    {"tcp no destination", "{hosts: [a.b], tcp: [{route: [{weight: 1}]}]}", "spec.tcp[0].route[0].destination"},
	    {"catch-all twice", "{hosts: [a.b], http: [{" TO "}, {" TO "}]}", "~spec.http[1]"},
	    {"same match twice",
	     "{hosts: [a.b], http: [{match: [{name: x, uri: {exact: /a}}], " TO "}, {match: [{uri: {exact: /a}}], " TO
	     "}]}",
	     "~spec.http[1].match[0] ~spec.http[1]"},
	    {"prefix covered",
	     "{hosts: [a.b], http: [{match: [{uri: {prefix: /a}}], " TO "}, {match: [{uri: {prefix: /ab}}], " TO "}]}",
	     "~spec.http[1].match[0].uri"},
	    {"prefix not covered, other header",
	     "{hosts: [a.b], http: [{match: [{uri: {prefix: /a}, headers: {x: {exact: '1'}}}], " TO
	     "}, {match: [{uri: {prefix: /ab}}], " TO "}]}",
	     ""},
	};
	CHECK_ROWS("VirtualService", rows);
}
END_TEST

START_TEST(test_http_route)
{
	static const struct row rows[] = {
	    {"no action", HTTP("name: x"), "spec.http[0].route"},
	    {"route and redirect", HTTP(TO ", redirect: {uri: /a}"), "spec.http[0].route"},
	    {"redirect and fault", HTTP("redirect: {uri: /a}, fault: {delay: {fixedDelay: 1s}}"), "spec.http[0].fault"},
	    {"redirect and rewrite", HTTP("redirect: {uri: /a}, rewrite: {uri: /b}"), "spec.http[0].rewrite"},
	    {"redirect and response", HTTP("redirect: {uri: /a}, directResponse: {status: 200}"),
	     "spec.http[0].directResponse"},
	    {"empty redirect", HTTP("redirect: {}"), "spec.http[0].redirect"},
	    {"redirect code", HTTP("redirect: {uri: /a, redirectCode: 200}"), "spec.http[0].redirect.redirectCode"},
	    {"redirect scheme", HTTP("redirect: {scheme: ftp}"), "spec.http[0].redirect.scheme"},
	    {"redirect port", HTTP("redirect: {port: 70000}"), "spec.http[0].redirect.port"},
	    {"derived port", HTTP("redirect: {derivePort: FROM_REQUEST_PORT}"), ""},
	    {"response", HTTP("directResponse: {status: 503, body: {string: x}}"), ""},
	    {"response status", HTTP("directResponse: {status: 100}"), "spec.http[0].directResponse.status"},
	    {"delegate", HTTP("delegate: {name: a}"), ""},
	    {"delegate and route", HTTP("delegate: {name: a}, " TO), "spec.http[0].route"},
	    {"delegate of a delegate", "{http: [{delegate: {name: a}, " TO "}]}", "spec.http[0].delegate"},
	    {"mirror and mirrors", HTTP(TO ", mirror: {host: a}, mirrors: [{destination: {host: b}}]"),
	     "spec.http[0].mirrors"},
	    {"mirror percentage", HTTP(TO ", mirror: {host: a}, mirrorPercentage: {value: 101}"),
	     "spec.http[0].mirrorPercentage.value"},
	    {"mirror to nowhere", HTTP(TO ", mirrors: [{percentage: {value: 1}}]"),
	     "spec.http[0].mirrors[0].destination"},
	    {"regex", HTTP(TO ", match: [{uri: {regex: '/a(b'}}]"), "spec.http[0].match[0].uri.regex"},
	    {"regex with a look-ahead", HTTP(TO ", match: [{uri: {regex: '/a(?=b)'}}]"),
	     "spec.http[0].match[0].uri.regex"},
	    {"empty regex", HTTP(TO ", match: [{method: {regex: ''}}]"), "spec.http[0].match[0].method.regex"},
	    {"empty prefix of a path", HTTP(TO ", match: [{uri: {prefix: ''}}]"), ""},
	    {"empty prefix of a header", HTTP(TO ", match: [{headers: {a: {prefix: ''}}}]"),
	     "spec.http[0].match[0].headers[a].prefix"},
	    {"header name", HTTP(TO ", match: [{headers: {'a b': {exact: x}}}]"), "spec.http[0].match[0].headers[a b]"},
	    {"any value of a header", HTTP(TO ", match: [{headers: {a: {}}}]"), ""},
	    {"without header", HTTP(TO ", match: [{withoutHeaders: {a: {regex: '*'}, b: {}}}]"), ""},
	    {"claim inside the mesh", HTTP(TO ", match: [{headers: {'@request.auth.claims.a': {exact: x}}}]"),
	     "spec.http[0].match[0].headers"},
	    {"claim at a gateway", CLAIM("g", "headers: {'@request.auth.claims[a][b]': {exact: x}}"), ""},
	    {"claim whose name has dots", CLAIM("g", "headers: {'@Request.Auth.Claims[https://a.b/c]': {}}"), ""},
	    {"claim with dots", CLAIM("g", "withoutHeaders: {'@request.auth.claims.a.b': {regex: '*'}}"), ""},
	    {"claim at a gateway and inside the mesh", CLAIM("g, mesh", "headers: {'@request.auth.claims.a': {}}"),
	     "~spec.http[0].match[0].headers"},
	    {"claim at the gateway of both", CLAIM("g, mesh", "headers: {'@request.auth.claims.a': {}}, gateways: [g]"),
	     ""},
	    {"claim inside the mesh of both",
	     CLAIM("g, mesh", "withoutHeaders: {'@request.auth.claims.a': {}}, gateways: [mesh]"),
	     "~spec.http[0].match[0].withoutHeaders"},
	    {"claim inside the mesh, said twice", CLAIM("mesh, mesh", "headers: {'@request.auth.claims.a': {}}"),
	     "spec.http[0].match[0].headers"},
	    {"no claim", CLAIM("g", "headers: {'@request.auth.claims': {}}"),
	     "spec.http[0].match[0].headers[@request.auth.claims]"},
	    {"claim without a name", CLAIM("g", "headers: {'@request.auth.claims[]': {}}"),
	     "spec.http[0].match[0].headers[@request.auth.claims[]]"},
	    {"claim in a claim without a name", CLAIM("g", "headers: {'@request.auth.claims[a][]': {}}"),
	     "spec.http[0].match[0].headers[@request.auth.claims[a][]]"},
	    {"claim with a dot at the end", CLAIM("g", "withoutHeaders: {'@request.auth.claims.a.': {}}"),
	     "spec.http[0].match[0].withoutHeaders[@request.auth.claims.a.]"},
	    {"claim that goes on behind brackets", CLAIM("g", "headers: {'@request.auth.claims[a].b': {}}"),
	     "spec.http[0].match[0].headers[@request.auth.claims[a].b]"},
	    {"regex of a claim", CLAIM("g", "headers: {'@request.auth.claims.a': {regex: '('}}"),
	     "spec.http[0].match[0].headers[@request.auth.claims.a].regex"},
	    {"match port", HTTP(TO ", match: [{port: 65536}]"), "spec.http[0].match[0].port"},
	    {"source label", HTTP(TO ", match: [{sourceLabels: {'a b': c}}]"), "spec.http[0].match[0].sourceLabels"},
	    {"source namespace", HTTP(TO ", match: [{sourceNamespace: 'a.b'}]"),
	     "spec.http[0].match[0].sourceNamespace"},
	    {"timeout", HTTP(TO ", timeout: 0.5ms"), "spec.http[0].timeout"},
	    {"timeout of half a millisecond more", HTTP(TO ", timeout: 1.0005s"), "spec.http[0].timeout"},
	    {"retries", HTTP(TO ", retries: {attempts: 3, retryOn: '5xx,503,reset'}"), ""},
	    {"retry condition", HTTP(TO ", retries: {attempts: 3, retryOn: '5xx,moon'}"),
	     "spec.http[0].retries.retryOn"},
	    {"retry with a space", HTTP(TO ", retries: {attempts: 3, retryOn: '5xx, reset'}"),
	     "spec.http[0].retries.retryOn"},
	    {"retries off but configured", HTTP(TO ", retries: {attempts: 0, retryOn: 5xx}"),
	     "spec.http[0].retries.attempts"},
	    {"negative retries", HTTP(TO ", retries: {attempts: -1}"), "spec.http[0].retries.attempts"},
	    {"rewrite twice", HTTP(TO ", rewrite: {uri: /a, uriRegexRewrite: {match: a, rewrite: b}}"),
	     "spec.http[0].rewrite.uriRegexRewrite"},
	    {"empty rewrite", HTTP(TO ", rewrite: {}"), "spec.http[0].rewrite"},
	    {"rewrite without a target", HTTP(TO ", rewrite: {uriRegexRewrite: {match: a}}"),
	     "spec.http[0].rewrite.uriRegexRewrite.rewrite"},
	    {"headers", HTTP(TO ", headers: {request: {set: {a: '%HOSTNAME%', b: '100%%'}}, response: {remove: [c]}}"),
	     ""},
	    {"open percent sign", HTTP(TO ", headers: {request: {add: {a: 'abc%123'}}}"),
	     "spec.http[0].headers.request.add[a]"},
	    {"percent sign at the end", HTTP(TO ", headers: {request: {add: {a: '%START_TIME%%'}}}"),
	     "spec.http[0].headers.request.add[a]"},
	    {"formatted time", HTTP(TO ", headers: {request: {add: {a: '%START_TIME(%s.%3f)%'}}}"), ""},
	    {"control character", HTTP(TO ", headers: {request: {add: {a: \"x\\u0001\"}}}"),
	     "spec.http[0].headers.request.add[a]"},
	    {"host of a response", HTTP(TO ", headers: {response: {set: {host: a}}}"),
	     "spec.http[0].headers.response.set[host]"},
	    {"pseudo header", HTTP(TO ", headers: {request: {set: {':path': a}}}"),
	     "spec.http[0].headers.request.set[:path]"},
	    {"authority removed", HTTP(TO ", headers: {request: {remove: [':authority']}}"),
	     "spec.http[0].headers.request.remove[0]"},
	    {"authority twice", HTTP(TO ", rewrite: {authority: a}, headers: {request: {set: {host: b}}}"),
	     "spec.http[0].headers"},
	    {"fault without anything", HTTP(TO ", fault: {}"), "spec.http[0].fault"},
	    {"fault percentage", HTTP(TO ", fault: {abort: {httpStatus: 500, percentage: {value: 0.00001}}}"),
	     "spec.http[0].fault.abort.percentage.value"},
	    {"abort status", HTTP(TO ", fault: {abort: {httpStatus: 99}}"), "spec.http[0].fault.abort.httpStatus"},
	    {"abort gRPC", HTTP(TO ", fault: {abort: {grpcStatus: MOON}}"), "spec.http[0].fault.abort.grpcStatus"},
	    {"abort of nothing", HTTP(TO ", fault: {abort: {}}"), "~spec.http[0].fault.abort"},
	    {"exponential delay", HTTP(TO ", fault: {delay: {exponentialDelay: 1s}}"),
	     "spec.http[0].fault.delay.exponentialDelay"},
	    {"cors",
	     HTTP(TO ", corsPolicy: {allowOrigins: [{exact: 'https://a'}], allowMethods: [GET], allowHeaders: ['*'], "
	             "maxAge: 24h}"),
	     ""},
	    {"cors origin", HTTP(TO ", corsPolicy: {allowOrigins: [{}]}"), "spec.http[0].corsPolicy.allowOrigins[0]"},
	    {"cors method", HTTP(TO ", corsPolicy: {allowMethods: [MOVE]}"), "spec.http[0].corsPolicy.allowMethods[0]"},
	    {"cors age", HTTP(TO ", corsPolicy: {maxAge: 1.5s}"), "spec.http[0].corsPolicy.maxAge"},
	    {"weights", HTTP("route: [{destination: {host: a}}, {destination: {host: b}}]"), "spec.http[0].route"},
	    {"weights beyond 2^31",
	     HTTP("route: [{destination: {host: a}, weight: 2147483647}, {destination: {host: b}, "
	          "weight: 2147483647}]"),
	     ""},
	    {"destination", HTTP("route: [{destination: {host: '*', subset: 'a b', port: {number: 0}}}]"),
	     "spec.http[0].route[0].destination.host spec.http[0].route[0].destination.subset "
	     "spec.http[0].route[0].destination.port.number"},
	};
	CHECK_ROWS("VirtualService", rows);
}
END_TEST

#define POLICY(policy) "{host: a, trafficPolicy: {" policy "}}"
#define BALANCER(balancer) POLICY("loadBalancer: {" balancer "}")
#define LOCALITY(locality) POLICY("outlierDetection: {interval: 1s}, loadBalancer: {localityLbSetting: {" locality "}}")

START_TEST(test_destination_rule)
{
	static const struct row rows[] = {
	    {"sound", "{host: a}", ""},
	    {"no host", "{}", "spec.host"},
	    {"wildcard", "{host: '*.a.b'}", ""},
	    {"empty policy", POLICY(""), "spec.trafficPolicy"},
	    {"subset twice", "{host: a, subsets: [{name: x}, {name: x}]}", "spec.subsets[1].name"},
	    {"subset name", "{host: a, subsets: [{name: x.1}]}", "spec.subsets[0].name"},
	    {"subset label", "{host: a, subsets: [{name: x, labels: {'': b}}]}", "spec.subsets[0].labels"},
	    {"subset policy",
	     "{host: a, subsets: [{name: x, trafficPolicy: {connectionPool: {tcp: {maxConnections: -1}}}}]}",
	     "spec.subsets[0].trafficPolicy.connectionPool.tcp.maxConnections"},
	    {"timeouts",
	     POLICY("connectionPool: {tcp: {connectTimeout: 0s, idleTimeout: 0s, maxConnectionDuration: 1us}}"),
	     "spec.trafficPolicy.connectionPool.tcp.connectTimeout "
	     "spec.trafficPolicy.connectionPool.tcp.maxConnectionDuration"},
	    {"negative numbers",
	     POLICY("connectionPool: {http: {maxRetries: -1, http2MaxRequests: -1, idleTimeout: 1ms}}"),
	     "spec.trafficPolicy.connectionPool.http.http2MaxRequests "
	     "spec.trafficPolicy.connectionPool.http.maxRetries"},
	    {"upgrade", POLICY("connectionPool: {http: {h2UpgradePolicy: UPGRADE, useClientProtocol: true}}"),
	     "spec.trafficPolicy.connectionPool.http.useClientProtocol"},
	    {"outlier",
	     POLICY("outlierDetection: {maxEjectionPercent: 101, minHealthPercent: -1, consecutiveErrors: 1}"),
	     "~spec.trafficPolicy.outlierDetection.consecutiveErrors "
	     "spec.trafficPolicy.outlierDetection.maxEjectionPercent "
	     "spec.trafficPolicy.outlierDetection.minHealthPercent"},
	    {"local errors", POLICY("outlierDetection: {consecutiveLocalOriginFailures: 3}"),
	     "spec.trafficPolicy.outlierDetection.consecutiveLocalOriginFailures"},
	    {"cookie", BALANCER("consistentHash: {httpCookie: {ttl: 0s}}"),
	     "spec.trafficPolicy.loadBalancer.consistentHash.httpCookie.name"},
	    {"maglev", BALANCER("consistentHash: {useSourceIp: true, maglev: {tableSize: 65537}}"), ""},
	    {"maglev not prime", BALANCER("consistentHash: {useSourceIp: true, maglev: {tableSize: 65536}}"),
	     "spec.trafficPolicy.loadBalancer.consistentHash.maglev.tableSize"},
	    {"maglev too large", BALANCER("consistentHash: {useSourceIp: true, maglev: {tableSize: 5000011}}"),
	     "spec.trafficPolicy.loadBalancer.consistentHash.maglev.tableSize"},
	    {"ring size",
	     BALANCER("consistentHash: {useSourceIp: true, minimumRingSize: 10, ringHash: {minimumRingSize: 10}}"),
	     "~spec.trafficPolicy.loadBalancer.consistentHash.minimumRingSize "
	     "spec.trafficPolicy.loadBalancer.consistentHash.minimumRingSize"},
	    {"warm-up", BALANCER("simple: ROUND_ROBIN, warmup: {minimumPercent: 150, aggression: 0.5}"),
	     "spec.trafficPolicy.loadBalancer.warmup.duration spec.trafficPolicy.loadBalancer.warmup.minimumPercent "
	     "spec.trafficPolicy.loadBalancer.warmup.aggression"},
	    {"distribute", LOCALITY("distribute: [{from: 'a/b/*', to: {'a/b/*': 80, 'a/c/*': 20}}]"), ""},
	    {"distribute to 99", LOCALITY("distribute: [{from: a, to: {a: 80, b: 19}}]"),
	     "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to"},
	    {"distribute overlaps", LOCALITY("distribute: [{from: a, to: {a: 80, a/b: 20}}]"),
	     "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to[a/b]"},
	    {"sources overlap", LOCALITY("distribute: [{from: a/b, to: {a: 100}}, {from: a, to: {a: 100}}]"),
	     "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[1].from"},
	    {"the rest last",
	     LOCALITY(
	         "distribute: [{from: a/b, to: {a: 100}}, {from: 'a/*', to: {a: 100}}, {from: '*', to: {a: 100}}]"),
	     ""},
	    {"wildcard inside", LOCALITY("distribute: [{from: 'a/*/b', to: {a: 100}}]"),
	     "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].from"},
	    {"empty part", LOCALITY("distribute: [{from: 'a//b', to: {a: 100}}]"),
	     "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].from"},
	    {"failover", LOCALITY("failover: [{from: a, to: a}, {from: a/b, to: 'c*'}]"),
	     "spec.trafficPolicy.loadBalancer.localityLbSetting.failover[0].to "
	     "spec.trafficPolicy.loadBalancer.localityLbSetting.failover[1].from "
	     "spec.trafficPolicy.loadBalancer.localityLbSetting.failover[1].to"},
	    {"failover and distribute", LOCALITY("failover: [{from: a, to: b}], distribute: [{from: a, to: {a: 100}}]"),
	     "spec.trafficPolicy.loadBalancer.localityLbSetting.failover"},
	    {"failover without outliers", BALANCER("localityLbSetting: {failover: [{from: a, to: b}]}"),
	     "~spec.trafficPolicy.loadBalancer.localityLbSetting"},
	    {"failover by region twice",
	     LOCALITY("failover: [{from: a, to: b}], failoverPriority: [topology.kubernetes.io/region]"),
	     "spec.trafficPolicy.loadBalancer.localityLbSetting.failoverPriority[0]"},
	    {"mutual TLS without files", POLICY("tls: {mode: MUTUAL}"),
	     "spec.trafficPolicy.tls.clientCertificate spec.trafficPolicy.tls.privateKey"},
	    {"credential and files", POLICY("tls: {mode: SIMPLE, credentialName: a, caCertificates: b}"),
	     "spec.trafficPolicy.tls.credentialName"},
	    {"credential elsewhere", POLICY("tls: {mode: SIMPLE, credentialName: 'configmap://other/a'}"),
	     "spec.trafficPolicy.tls.credentialName"},
	    {"tunnel", POLICY("tunnel: {protocol: GET, targetHost: '-', targetPort: 0}"),
	     "spec.trafficPolicy.tunnel.protocol spec.trafficPolicy.tunnel.targetHost "
	     "spec.trafficPolicy.tunnel.targetPort"},
	    {"tunnel and PROXY protocol",
	     POLICY("tunnel: {targetHost: a, targetPort: 1}, proxyProtocol: {version: V2}"),
	     "spec.trafficPolicy.proxyProtocol"},
	    {"port policy", POLICY("portLevelSettings: [{port: {number: 0}}, {tls: {mode: SIMPLE}}]"),
	     "spec.trafficPolicy.portLevelSettings[0].port.number spec.trafficPolicy.portLevelSettings[0] "
	     "spec.trafficPolicy.portLevelSettings[1].port"},
	    {"retry budget alone", POLICY("retryBudget: {percent: 120}"), "spec.trafficPolicy.retryBudget.percent"},
	    {"selector exports", "{host: a, workloadSelector: {matchLabels: {a: b}}, exportTo: ['*']}",
	     "spec.exportTo[0]"},
	    {"selector exports here", "{host: a, workloadSelector: {matchLabels: {a: b}}, exportTo: ['.']}", ""},
	    {"selector wildcard", "{host: a, workloadSelector: {matchLabels: {a: '*'}}}",
	     "spec.workloadSelector.matchLabels"},
	};
	CHECK_ROWS("DestinationRule", rows);
}
END_TEST

#define SERVER(server) "{servers: [{" server "}]}"
#define HTTP_PORT "port: {number: 80, protocol: HTTP, name: http}"
#define HTTPS_PORT "port: {number: 443, protocol: HTTPS, name: https}"

START_TEST(test_gateway)
{
	static const struct row rows[] = {
	    {"sound", SERVER(HTTP_PORT ", hosts: ['*']"), ""},
	    {"no servers", "{}", "spec.servers"},
	    {"no hosts", SERVER(HTTP_PORT), "spec.servers[0].hosts"},
	    {"no port", SERVER("hosts: ['*']"), "spec.servers[0].port"},
	    {"hosts", SERVER(HTTP_PORT ", hosts: [a, ns/a.b, ./a.b, '*/a.b', '~/a.b', 'n.s/a.b', '*a.b', 1.2.3.4]"),
	     "spec.servers[0].hosts[0] spec.servers[0].hosts[4] spec.servers[0].hosts[5] spec.servers[0].hosts[6]"},
	    {"protocol", SERVER("port: {number: 80, protocol: FTP, name: a}, hosts: ['*']"),
	     "spec.servers[0].port.protocol"},
	    {"lower case", SERVER("port: {number: 80, protocol: grpc-web, name: a}, hosts: ['*']"), ""},
	    {"port number", SERVER("port: {number: 0, protocol: HTTP, name: a}, hosts: ['*']"),
	     "spec.servers[0].port.number"},
	    {"target port", SERVER("port: {number: 1, targetPort: 2, protocol: HTTP, name: a}, hosts: ['*']"),
	     "spec.servers[0].port.targetPort"},
	    {"unnamed port", SERVER("port: {number: 1, protocol: HTTP}, hosts: ['*']"), "spec.servers[0].port.name"},
	    {"port name twice", "{servers: [{" HTTP_PORT ", hosts: [a.b]}, {" HTTP_PORT ", hosts: [c.d]}]}",
	     "spec.servers[1].port.name"},
	    {"bind", SERVER(HTTP_PORT ", hosts: ['*'], bind: nowhere"), "spec.servers[0].bind"},
	    {"socket", SERVER("port: {protocol: HTTP, name: a}, hosts: ['*'], bind: 'unix:///a'"), ""},
	    {"socket with a port", SERVER(HTTP_PORT ", hosts: ['*'], bind: 'unix:///a'"),
	     "spec.servers[0].port.number"},
	    {"HTTPS without TLS", SERVER(HTTPS_PORT ", hosts: ['*']"), "spec.servers[0].tls"},
	    {"redirect", SERVER(HTTP_PORT ", hosts: ['*'], tls: {httpsRedirect: true}"), ""},
	    {"redirect of HTTPS",
	     SERVER(HTTPS_PORT ", hosts: ['*'], tls: {httpsRedirect: true, mode: SIMPLE, credentialName: a}"),
	     "~spec.servers[0].tls.httpsRedirect"},
	    {"TLS on HTTP", SERVER(HTTP_PORT ", hosts: ['*'], tls: {mode: SIMPLE, credentialName: a}"),
	     "spec.servers[0].tls"},
	    {"TLS on TCP", SERVER("port: {number: 1, protocol: TCP, name: a}, hosts: ['*'], tls: {mode: PASSTHROUGH}"),
	     "spec.servers[0].tls"},
	    {"simple without files", SERVER(HTTPS_PORT ", hosts: ['*'], tls: {mode: SIMPLE}"),
	     "spec.servers[0].tls.serverCertificate spec.servers[0].tls.privateKey"},
	    {"mutual without CA",
	     SERVER(HTTPS_PORT ", hosts: ['*'], tls: {mode: MUTUAL, serverCertificate: a, privateKey: b}"),
	     "spec.servers[0].tls.caCertificates"},
	    {"two sources",
	     SERVER(HTTPS_PORT
	            ", hosts: ['*'], tls: {mode: SIMPLE, serverCertificate: a, privateKey: b, credentialName: c}"),
	     "spec.servers[0].tls"},
	    {"mesh TLS with a file", SERVER(HTTPS_PORT ", hosts: ['*'], tls: {mode: ISTIO_MUTUAL, privateKey: b}"),
	     "spec.servers[0].tls.privateKey"},
	    {"passthrough with a file",
	     SERVER("port: {number: 1, protocol: TLS, name: a}, hosts: ['*'], tls: {privateKey: b}"),
	     "~spec.servers[0].tls.mode"},
	    {"ciphers",
	     SERVER(
	         HTTPS_PORT
	         ", hosts: ['*'], tls: {mode: SIMPLE, credentialName: a, cipherSuites: [X, AES128-SHA, AES128-SHA]}"),
	     "~spec.servers[0].tls.cipherSuites[0] ~spec.servers[0].tls.cipherSuites[2]"},
	    {"old TLS",
	     SERVER(HTTPS_PORT ", hosts: ['*'], tls: {mode: SIMPLE, credentialName: a, minProtocolVersion: TLSV1_0}"),
	     "~spec.servers[0].tls.minProtocolVersion"},
	    {"revocation",
	     SERVER(HTTPS_PORT ", hosts: ['*'], tls: {mode: SIMPLE, serverCertificate: a, privateKey: b, caCrl: c}"),
	     "spec.servers[0].tls.caCrl"},
	};
	CHECK_ROWS("Gateway", rows);
}
END_TEST

#define ENTRY(entry) "{hosts: [a.b], ports: [{number: 80, name: http, protocol: HTTP}], " entry "}"

START_TEST(test_service_entry)
{
	static const struct row rows[] = {
	    {"sound", ENTRY("resolution: DNS"), ""},
	    {"any host", "{hosts: ['*']}", "spec.hosts[0]"},
	    {"addresses",
	     ENTRY("addresses: [1.2.3.4, 10.0.0.0/8, '2001:db8::/32', '01.2.3.4', 10.0.0.0/33, 10.0.0.0/08, a]"),
	     "spec.addresses[3] spec.addresses[4] spec.addresses[5] spec.addresses[6]"},
	    {"block and DNS", ENTRY("addresses: [10.0.0.0/8], resolution: DNS"), "spec.addresses[0]"},
	    {"selector and endpoints",
	     ENTRY("workloadSelector: {labels: {a: b}}, endpoints: [{address: 1.1.1.1}], resolution: STATIC"),
	     "spec.endpoints"},
	    {"selector of none", ENTRY("workloadSelector: {}, resolution: STATIC"), "~spec.workloadSelector"},
	    {"port name", "{hosts: [a.b], ports: [{number: 80, name: 'a.b', protocol: HTTP}]}", "spec.ports[0].name"},
	    {"protocol", "{hosts: [a.b], ports: [{number: 80, name: a, protocol: FTP}]}", "spec.ports[0].protocol"},
	    {"wildcard by DNS", "{hosts: ['*.b'], resolution: DNS}", "spec.hosts[0]"},
	    {"host name, static", ENTRY("resolution: STATIC, endpoints: [{address: c.d}]"),
	     "spec.endpoints[0].address"},
	    {"host name, DNS", ENTRY("resolution: DNS, endpoints: [{address: c.d}]"), ""},
	    {"socket, DNS", ENTRY("resolution: DNS, endpoints: [{address: 'unix:///a'}]"), "spec.endpoints[0].address"},
	    {"socket with ports", ENTRY("resolution: STATIC, endpoints: [{address: 'unix:///a', ports: {http: 1}}]"),
	     "spec.endpoints[0].ports"},
	    {"endpoint port", ENTRY("resolution: STATIC, endpoints: [{address: 1.1.1.1, ports: {http: 0, grpc: 1}}]"),
	     "spec.endpoints[0].ports[grpc] spec.endpoints[0].ports[http]"},
	    {"endpoint label", ENTRY("resolution: STATIC, endpoints: [{address: 1.1.1.1, labels: {a: 'b c'}}]"),
	     "spec.endpoints[0].labels"},
	    {"several hosts of TCP",
	     "{hosts: [a.b, c.d], ports: [{number: 1, name: a, protocol: TCP}], resolution: STATIC}",
	     "spec.ports[0].protocol"},
	    {"several hosts of TLS",
	     "{hosts: [a.b, c.d], ports: [{number: 1, name: a, protocol: TLS}], resolution: STATIC}", ""},
	    {"dynamic", "{hosts: ['*.b'], ports: [{number: 1, name: a, protocol: TLS}], resolution: DYNAMIC_DNS}", ""},
	    {"dynamic, one host",
	     "{hosts: [a.b], ports: [{number: 1, name: a, protocol: TLS}], resolution: DYNAMIC_DNS}", "spec.hosts[0]"},
	    {"nobody", ENTRY("resolution: DNS, exportTo: ['~']"), ""},
	    {"nobody and some", ENTRY("resolution: DNS, exportTo: ['~', a]"), "spec.exportTo"},
	};
	CHECK_ROWS("ServiceEntry", rows);
}
END_TEST

START_TEST(test_workload_entry)
{
	static const struct row rows[] = {
	    {"sound", "{address: 1.2.3.4, ports: {http: 80}, labels: {app: a}}", ""},
	    {"IPv6", "{address: '2001:db8::1'}", ""},
	    {"host", "{address: vm.example.com}", ""},
	    {"no address", "{}", "spec.address"},
	    {"network", "{network: a}", "~spec.address"},
	    {"bad address", "{address: 'a b'}", "spec.address"},
	    {"socket", "{address: 'unix:///a/b'}", ""},
	    {"socket folder", "{address: 'unix:///a/'}", "spec.address"},
	    {"abstract socket", "{address: 'unix://@a'}", ""},
	    {"port", "{address: 1.2.3.4, ports: {http: 70000}}", "spec.ports[http]"},
	};
	CHECK_ROWS("WorkloadEntry", rows);
}
END_TEST

START_TEST(test_config_map)
{
	static const struct row rows[] = {
	    {"settings", "{mesh: \"accessLogFile: /dev/stdout\"}", ""},
	    {"no settings", "{meshNetworks: \"networks: {}\"}", ""},
	    {"empty", "{mesh: \"\"}", ""},
	    {"comments only", "{mesh: \"# nothing\\n\"}", ""},
	    {"no YAML", "{mesh: \"a: [b\"}", "data.mesh"},
	    {"a list", "{mesh: \"[a, b]\"}", "data.mesh"},
	    {"a word", "{mesh: \"accessLogFile\"}", "data.mesh"},
	};
	for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i / 2];
		bool is_mesh = i % 2 == 0; /* of another name, it is anybody's */
		CLEANUP(text_done) struct text yaml = {0};
		text_printf(&yaml, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: here}\ndata: %s\n",
		            is_mesh ? "istio" : "other", row->spec);
		struct decoded decoded = decode(text_get(&yaml));
		ck_assert_msg(strcmp(decoded_issues(&decoded), is_mesh ? row->want : "") == 0, "%s: got \"%s\"",
		              row->name, decoded_issues(&decoded));
		decoded_done(&decoded);
	}
}
END_TEST

START_TEST(test_hostname)
{
	static const struct {
		const char *a, *b;
		bool matches, is_subset;
	} rows[] = {
	    {"a.b", "a.b", true, true},    {"a.b", "*.b", true, true},   {"*.b", "a.b", true, false},
	    {"*", "a", true, false},       {"a", "*", true, true},       {"*.a.b", "*.b", true, true},
	    {"*.b", "*.a.b", true, false}, {"*.a", "*.b", false, false}, {"a.c", "*.b", false, false},
	    {"b", "*.b", false, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		ck_assert_msg(hostname_matches(rows[i].a, rows[i].b) == rows[i].matches, "%s %s", rows[i].a, rows[i].b);
		ck_assert_msg(hostname_is_subset(rows[i].a, rows[i].b) == rows[i].is_subset, "%s %s", rows[i].a,
		              rows[i].b);
	}
	struct error error;
	ck_assert(hostname_check_fqdn("a.b.", &error));
	ck_assert(!hostname_check_fqdn("a..b", &error));
	ck_assert(!hostname_check_fqdn("a.123", &error));
	ck_assert(!hostname_check_fqdn(NULL, &error));
	ck_assert(hostname_check_wildcard("*-a.b", &error));
	ck_assert(hostname_is_label_key("example.com/a_b.c"));
	ck_assert(!hostname_is_label_key("example.com/"));
	ck_assert(!hostname_is_label_key("/a"));
	ck_assert(!hostname_is_label_key("a/b/c"));
}
END_TEST

UNIT_MAIN("check", test_virtual_service, test_http_route, test_destination_rule, test_gateway, test_service_entry,
          test_workload_entry, test_config_map, test_hostname)
