#include "server/source/kube/kube_config.h"

#include "base/heap.h"
#include "base/text.h"
#include "tests/unit/config_dir.h"
#include "tests/unit/unit.h"

#include <string.h>

/*
 * Files are written to a folder, which is "~" in what is expected. Whatever is secret in a file has SECRET in it (or
 * U0VDUkVU, its base64): no error may say it.
 */
static struct config_dir dir;

static void init(void)
{
	config_dir_init(&dir);
}

static void done(void)
{
	config_dir_done(&dir);
}

static const char *in_dir(struct arena *arena, const char *name)
{
	return arena_printf(arena, "%s/%s", dir.path, name);
}

/* With "~" for the folder. */
static void add_shortened(struct text *out, const char *s)
{
	for (const char *at; (at = strstr(s, dir.path)); s = at + strlen(dir.path)) {
		text_add_n(out, s, (size_t)(at - s));
		text_add(out, "~");
	}
	text_add(out, s);
}

static void print_string(const char *name, const char *value, struct text *out)
{
	if (!value)
		return;
	text_printf(out, " %s=", name);
	add_shortened(out, value);
}

static void print_pem(const char *name, const struct kube_pem *pem, struct text *out)
{
	if (pem->data)
		text_printf(out, " %s-data=%.*s", name, (int)pem->n, pem->data);
	print_string(name, pem->file, out);
}

static void print_words(const char *name, const char *const *words, struct text *out)
{
	text_printf(out, " %s=[", name);
	for (size_t i = 0; words[i]; i++) {
		text_add(out, i ? "," : "");
		add_shortened(out, words[i]);
	}
	text_add(out, "]");
}

static void print_exec(const struct kube_exec *exec, struct text *out)
{
	print_string("exec", exec->command, out);
	print_string("version", strrchr(exec->api_version, '/') + 1, out);
	print_words("args", exec->arguments, out);
	print_words("env", exec->environment, out);
	print_string("hint", exec->install_hint, out);
	text_add(out, exec->wants_cluster_info ? " cluster-info" : "");
}

/* All that the config says beyond an empty one. */
static void print_config(const struct kube_config *config, struct text *out)
{
	text_add(out, config->server);
	if (strcmp(config->namespace, "default") != 0)
		print_string("namespace", config->namespace, out);
	print_string("tls-server-name", config->tls_server_name, out);
	print_string("proxy", config->proxy_url, out);
	text_add(out, config->is_insecure ? " insecure" : "");
	print_pem("ca", &config->ca, out);
	print_pem("cert", &config->cert, out);
	print_pem("key", &config->key, out);
	print_string("token", config->token, out);
	print_string("token-file", config->token_file, out);
	print_string("username", config->username, out);
	print_string("password", config->password, out);
	if (config->exec)
		print_exec(config->exec, out);
}

/* What comes of it: the config, or "!" and the error. */
static void load(const struct kube_config_options *options, struct text *out)
{
	struct error error;
	struct kube_config *config = kube_config_load(options, &error);
	out->n = 0;
	if (config) {
		print_config(config, out);
	} else {
		text_add(out, "!");
		add_shortened(out, error.message);
		ck_assert(text_is_utf8(error.message, strlen(error.message)));
		ck_assert_msg(!strstr(out->s, "SECRET") && !strstr(out->s, "U0VDUkVU"), "a secret: %s", out->s);
	}
	kube_config_free(config);
}

struct row {
	const char *in, *want; /* the file a/config */
};

static void try_rows(const struct row *rows, size_t n, const char *context)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text out = {0};
	init();
	for (size_t i = 0; i < n; i++) {
		config_dir_write(&dir, "config", rows[i].in);
		load(&(struct kube_config_options){.kubeconfig = in_dir(arena, "config"), .context = context}, &out);
		ck_assert_str_eq(text_get(&out), rows[i].want);
	}
	done();
}

#define TRY_ROWS(rows) try_rows(rows, sizeof(rows) / sizeof(rows)[0], NULL)

/* A whole kubeconfig: one context c, of these. */
#define CONFIG(cluster, user)                                                                                          \
	"apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- name: c\n  context: {cluster: k, user: u}\n"   \
	"clusters:\n- name: k\n  cluster: {" cluster "}\nusers:\n- name: u\n  user: {" user "}\n"
#define USER(user) CONFIG("server: https://s", user)
#define CLUSTER(cluster) CONFIG(cluster, "token: SECRET")
#define EXEC(exec) USER("exec: {" exec "}")
#define V1 "apiVersion: client.authentication.k8s.io/v1"

START_TEST(users_say_as_whom_to_call)
{
	static const struct row rows[] = {
	    {USER(""), "https://s"},
	    {USER("token: SECRET"), "https://s token=SECRET"},
	    {USER("token: \"\""), "https://s"},
	    {USER("token: \"SECRET\\r\\nX-Other: header\""),
	     "!~/config: the token has a line end or another control character in it"},
	    {USER("tokenFile: /a/token"), "https://s token-file=/a/token"},
	    {USER("tokenFile: token, token: SECRET"), "https://s token=SECRET token-file=~/token"},
	    {USER("username: me, password: SECRET"), "https://s username=me password=SECRET"},
	    {USER("client-certificate: c.pem, client-key: ../k.pem"), "https://s cert=~/c.pem key=~/../k.pem"},
	    {USER("client-certificate: /c, client-key: /k"), "https://s cert=/c key=/k"},
	    {USER("client-certificate-data: Q0VSVA==, client-key-data: U0VDUkVU"),
	     "https://s cert-data=CERT key-data=SECRET"},
	    {USER("client-certificate-data: \"Q0VS\\n VA==\\n\", client-key-data: S0VZUw=="),
	     "https://s cert-data=CERT key-data=KEYS"},
	    {USER("client-certificate-data: Q0U=, client-certificate: /c, client-key-data: SzE=, client-key: /k"),
	     "https://s cert-data=CE key-data=K1"},
	    {USER("client-certificate-data: Q0VSVA==, client-key: k"), "https://s cert-data=CERT key=~/k"},
	    {USER("something-new: {a: 1}, token: SECRET"), "https://s token=SECRET"},
	    {USER("client-certificate-data: Q0VSVA==, client-key-data: SECRET!!"),
	     "!~/config: client-key-data is no base64"},
	    {USER("client-certificate-data: Q0VSV, client-key-data: U0VDUkVU"),
	     "!~/config: client-certificate-data is no base64"},
	    {USER("client-certificate: c, token: SECRET"),
	     "!~/config: user \"u\" has a client certificate without its key, or a key without it"},
	    {USER("client-key-data: U0VDUkVU"),
	     "!~/config: user \"u\" has a client certificate without its key, or a key without it"},
	    {USER("auth-provider: {name: gcp, config: {access-token: SECRET}}"),
	     "!~/config: user \"u\" has an auth-provider, which Kubernetes has given up: use exec"},
	    {USER("as: admin, token: SECRET"),
	     "!~/config: user \"u\" impersonates another (\"as\"), which weftd does not do"},
	};
	TRY_ROWS(rows);
}
END_TEST

/* YAML takes them for something else, and they would be left out silently. */
START_TEST(what_is_no_string_is_to_be_quoted)
{
	static const struct row rows[] = {
	    {USER("token: null"), "https://s"},
	    {USER("token: \"1234\""), "https://s token=1234"},
	    {USER("token: 1234"), "!~/config: token is not a string but an integer: put it in quotes"},
	    {USER("username: me, password: 1e3"), "!~/config: password is not a string but a number: put it in quotes"},
	    {USER("client-certificate: [SECRET]"),
	     "!~/config: client-certificate is not a string but an array: put it in quotes"},
	    {CLUSTER("server: https://s, tls-server-name: 1"),
	     "!~/config: tls-server-name is not a string but an integer: put it in quotes"},
	    {EXEC(V1 ", command: yes"), "!~/config: command is not a string but a boolean: put it in quotes"},
	    {"{current-context: c, contexts: [{name: c, context: {cluster: k, namespace: n}}]}",
	     "!~/config: namespace is not a string but a boolean: put it in quotes"},
	};
	TRY_ROWS(rows);
}
END_TEST

START_TEST(clusters_say_where)
{
	static const struct row rows[] = {
	    {CLUSTER("server: http://127.0.0.1:8080/"), "http://127.0.0.1:8080"},
	    {CLUSTER("server: https://s/k8s/clusters/a//"), "https://s/k8s/clusters/a token=SECRET"},
	    {CLUSTER("server: https://s, certificate-authority: ca.crt"), "https://s ca=~/ca.crt token=SECRET"},
	    {CLUSTER("server: https://s, certificate-authority-data: Q0E="), "https://s ca-data=CA token=SECRET"},
	    {CLUSTER("server: https://s, certificate-authority-data: Q0E=, certificate-authority: /ca"),
	     "https://s ca-data=CA token=SECRET"},
	    {CLUSTER("server: https://s, insecure-skip-tls-verify: true"), "https://s insecure token=SECRET"},
	    {CLUSTER("server: https://s, insecure-skip-tls-verify: false, certificate-authority: /ca"),
	     "https://s ca=/ca token=SECRET"},
	    {CLUSTER("server: https://s, tls-server-name: kubernetes"),
	     "https://s tls-server-name=kubernetes token=SECRET"},
	    {CLUSTER("server: https://s, proxy-url: \"socks5://p:1080\""),
	     "https://s proxy=socks5://p:1080 token=SECRET"},
	    {CLUSTER("server: https://s, insecure-skip-tls-verify: true, certificate-authority: /ca"),
	     "!~/config: cluster \"k\" has both a certificate authority and insecure-skip-tls-verify: which is it?"},
	    {CLUSTER("server: https://s, insecure-skip-tls-verify: true, certificate-authority-data: Q0E="),
	     "!~/config: cluster \"k\" has both a certificate authority and insecure-skip-tls-verify: which is it?"},
	    {CLUSTER("server: https://s, certificate-authority-data: \"?\""),
	     "!~/config: certificate-authority-data is no base64"},
	    {CLUSTER(""), "!~/config: cluster \"k\" has no server such as https://HOST:PORT"},
	    {CLUSTER("server: \"https://\""), "!~/config: cluster \"k\" has no server such as https://HOST:PORT"},
	    {CLUSTER("server: http:///a"), "!~/config: cluster \"k\" has no server such as https://HOST:PORT"},
	    {CLUSTER("server: 10.0.0.1"), "!~/config: cluster \"k\" has no server such as https://HOST:PORT"},
	};
	TRY_ROWS(rows);
}
END_TEST

START_TEST(exec_plugins_are_described)
{
	static const struct row rows[] = {
	    {EXEC(V1 ", command: aws, args: [eks, get-token], env: [{name: A, value: \"1\"}, {name: B, value: \"\"}], "
	             "interactiveMode: IfAvailable, installHint: get it, provideClusterInfo: true"),
	     "https://s exec=aws version=v1 args=[aws,eks,get-token] env=[A=1,B=] hint=get it cluster-info"},
	    {EXEC(V1 "beta1, command: bin/login"),
	     "https://s exec=~/bin/login version=v1beta1 args=[~/bin/login] env=[]"},
	    {EXEC(V1 ", command: /bin/login, args: null, env: null, interactiveMode: Never"),
	     "https://s exec=/bin/login version=v1 args=[/bin/login] env=[]"},
	    {EXEC(V1 ", command: login, args: [a, 1]"),
	     "!an exec plugin has an argument or a variable that is no string: put it in quotes"},
	    {EXEC(V1 ", command: login, env: [{name: A, value: 1}]"),
	     "!an exec plugin has an argument or a variable that is no string: put it in quotes"},
	    {EXEC(V1 ", args: [SECRET]"), "!~/config: exec has no command"},
	    {EXEC("command: login, args: [SECRET]"),
	     "!~/config: exec has apiVersion \"\": client.authentication.k8s.io/v1 and v1beta1 are known"},
	    {EXEC(V1 "alpha1, command: login, args: [SECRET]"),
	     "!~/config: exec has apiVersion \"client.authentication.k8s.io/v1alpha1\": "
	     "client.authentication.k8s.io/v1 and v1beta1 are known"},
	    {EXEC(V1 ", command: login, interactiveMode: Always, env: [{name: A, value: SECRET}]"),
	     "!~/config: exec plugin login wants a terminal (interactiveMode: Always), which a server has not"},
	};
	TRY_ROWS(rows);
}
END_TEST

#define TWO                                                                                                            \
	"contexts:\n- {name: a, context: {cluster: k, user: u, namespace: ns}}\n- {name: b, context: {cluster: l}}\n"  \
	"- {name: c, context: {user: u}}\n- {name: d, context: {cluster: x, user: u}}\n"                               \
	"- {name: e, context: {cluster: k, user: x}}\n- {name: f}\n"                                                   \
	"clusters:\n- {name: k, cluster: {server: \"https://k\"}}\n- {name: l, cluster: {server: \"https://l\"}}\n"    \
	"users:\n- {name: u, user: {token: SECRET}}\n"

START_TEST(contexts_are_found_by_name)
{
	static const struct {
		const char *context, *current, *want;
	} rows[] = {
	    {NULL, "a", "https://k namespace=ns token=SECRET"},
	    {"b", "a", "https://l"},
	    {"a", "nobody", "https://k namespace=ns token=SECRET"},
	    {NULL, "\"\"", "!~/config has no current-context: name one with --context"},
	    {NULL, "z", "!the kubeconfig has no context \"z\""},
	    {"z", "a", "!the kubeconfig has no context \"z\""},
	    {"c", "a", "!~/config: context \"c\" names no cluster"},
	    {"d", "a", "!the kubeconfig has no cluster \"x\""},
	    {"e", "a", "!the kubeconfig has no user \"x\""},
	    {"f", "a", "!~/config: context \"f\" has no \"context\""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text in = {0};
		text_printf(&in, "current-context: %s\n" TWO, rows[i].current);
		try_rows(&(struct row){in.s, rows[i].want}, 1, rows[i].context);
	}
}
END_TEST

START_TEST(what_is_no_kubeconfig_is_refused)
{
	static const struct row rows[] = {
	    {"", "!~/config: no such kubeconfig, or it is empty"},
	    {"# nothing\n", "!~/config: no such kubeconfig, or it is empty"},
	    {"- SECRET\n", "!~/config is no kubeconfig: it holds an array"},
	    {"SECRET\n", "!~/config is no kubeconfig: it holds a string"},
	    {"{}\n", "!~/config has no current-context: name one with --context"},
	    {"current-context: c\ncontexts: SECRET\n", "!the kubeconfig has no context \"c\""},
	    {"current-context: c\ncontexts: [SECRET, 1, {name: 1}]\n", "!the kubeconfig has no context \"c\""},
	};
	TRY_ROWS(rows);
}
END_TEST

/* What exactly is wrong with it is base/yaml.h's to say; where it is must be said, and nothing of what stands there. */
START_TEST(yaml_that_is_broken_is_not_quoted)
{
	static const char *const rows[] = {
	    "users:\n- name: u\n  user: {token: SECRET\n",
	    "token: SECRET: SECRET\n",
	    "token: \"SECRET\n",
	    "\tSECRET\n",
	    "token: *SECRET\n",
	    "token: !SECRET SECRET\n",
	    "token: \"\\SECRET\"\n",
	    "{\"token\": \"SECRET}\n",
	    "token: SECRET\xff\n",
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text out = {0};
	init();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		config_dir_write(&dir, "config", rows[i]);
		load(&(struct kube_config_options){.kubeconfig = in_dir(arena, "config")}, &out);
		ck_assert_msg(text_has_prefix(out.s, "!~/config: line "), "%zu: %s", i, out.s);
	}
	done();
}
END_TEST

START_TEST(a_file_has_a_largest_size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text in = {0}, out = {0};
	init();
	text_add(&in, CLUSTER("server: https://s"));
	while (in.n < KUBE_CONFIG_BYTES_MAX)
		text_add(&in, "#");
	config_dir_write(&dir, "config", in.s);
	load(&(struct kube_config_options){.kubeconfig = in_dir(arena, "config")}, &out);
	ck_assert_str_eq(out.s, "https://s token=SECRET");
	text_add(&in, "#");
	config_dir_write(&dir, "config", in.s);
	load(&(struct kube_config_options){.kubeconfig = in_dir(arena, "config")}, &out);
	ck_assert_str_eq(out.s, "!~/config has more than 1048576 bytes");
	done();
}
END_TEST

START_TEST(what_stands_in_it_has_a_largest_size)
{
	static const struct {
		const char *name;
		size_t n;
		const char *want;
	} rows[] = {
	    {"token", KUBE_TOKEN_BYTES_MAX, "https://s"},
	    {"token", KUBE_TOKEN_BYTES_MAX + 1, "!~/config: the token has more than 65536 bytes"},
	    {"client-certificate-data", KUBE_PEM_BYTES_MAX + 1,
	     "!~/config: client-certificate-data has more than 262144 bytes"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text out = {0};
	init();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text in = {0};
		text_add(&in, "{current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}], clusters: "
		              "[{name: k, cluster: {server: \"https://s\"}}], users: [{name: u, user: {");
		text_printf(&in, "%s: \"", rows[i].name);
		for (size_t k = 0; k < rows[i].n; k++)
			text_add_char(&in, 'A');
		text_add(&in, "\"}}]}");
		config_dir_write(&dir, "config", in.s);
		load(&(struct kube_config_options){.kubeconfig = in_dir(arena, "config")}, &out);
		ck_assert_msg(text_has_prefix(out.s, rows[i].want), "%.200s", out.s);
	}
	done();
}
END_TEST

START_TEST(a_plugin_has_so_many_arguments)
{
	CLEANUP(text_done) struct text in = {0};
	text_add(&in,
	         "{current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}], clusters: [{name: k, "
	         "cluster: {server: \"https://s\"}}], users: [{name: u, user: {exec: {" V1 ", command: a, args: [");
	for (int i = 0; i <= KUBE_EXEC_WORDS_MAX; i++)
		text_add(&in, "SECRET,");
	text_add(&in, "]}}}]}");
	try_rows(&(struct row){in.s, "!an exec plugin has more than 256 arguments"}, 1, NULL);
}
END_TEST

/* ---- several files ---- */

static void load_list(const char *list, bool is_explicit, struct text *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text paths = {0};
	for (; *list; list++) { /* a letter is a file of that name */
		if (*list == ':')
			text_add_char(&paths, ':');
		else
			text_printf(&paths, "%s/%c", dir.path, *list);
	}
	char *variable = (char *)(uintptr_t)arena_printf(arena, "KUBECONFIG=%s", text_get(&paths));
	char *const environment[] = {variable, NULL};
	load(&(struct kube_config_options){.kubeconfig = is_explicit ? text_get(&paths) : NULL,
	                                   .environment = environment},
	     out);
}

START_TEST(of_several_files_the_first_that_says_something_wins)
{
	static const struct {
		const char *list;
		bool is_explicit;
		const char *want;
	} rows[] = {
	    {"a:b", false, "https://a namespace=a cert=~/c.pem key=~/k.pem"},
	    {"b:a", false, "https://b namespace=b token=SECRET"},
	    {"a:b", true, "https://a namespace=a cert=~/c.pem key=~/k.pem"},
	    {"u:a:b", false, "https://a namespace=a token=SECRET2"}, /* a user of another file */
	    {"x:b:y", false, "https://b namespace=b token=SECRET"},  /* missing ones are skipped */
	    {":b:", false, "https://b namespace=b token=SECRET"},
	    {"e:b", false, "https://b namespace=b token=SECRET"},
	    {"c:b", false, "https://b namespace=b token=SECRET"}, /* no current-context of its own */
	    {"c:a", false, "https://a namespace=a cert=~/c.pem key=~/k.pem"},
	    {"x:y", false, "!~/x:~/y: no such kubeconfig, or it is empty"},
	    {"x", true, "!~/x: No such file or directory"},
	    {"b:x", true, "!~/x: No such file or directory"},
	};
	CLEANUP(text_done) struct text out = {0};
	init();
	config_dir_write(&dir, "a",
	                 "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u, namespace: a}}]\n"
	                 "clusters: [{name: k, cluster: {server: \"https://a\"}}]\n"
	                 "users: [{name: u, user: {client-certificate: c.pem, client-key: k.pem}}]\n");
	config_dir_write(&dir, "b",
	                 "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u, namespace: b}}]\n"
	                 "clusters: [{name: k, cluster: {server: \"https://b\"}}]\nusers: [{name: u, user: {token: "
	                 "SECRET}}]\n");
	config_dir_write(&dir, "c", "contexts: []\nclusters: []\n");
	config_dir_write(&dir, "u", "users: [{name: u, user: {token: SECRET2}}]\n");
	config_dir_write(&dir, "e", "");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		load_list(rows[i].list, rows[i].is_explicit, &out);
		ck_assert_str_eq(out.s, rows[i].want);
	}
	done();
}
END_TEST

START_TEST(a_list_has_so_many_files)
{
	CLEANUP(text_done) struct text list = {0}, out = {0};
	init();
	config_dir_write(&dir, "b", CLUSTER("server: https://s"));
	for (int i = 0; i < KUBE_CONFIG_FILES_MAX; i++)
		text_add(&list, i ? ":b" : "b");
	load_list(list.s, true, &out);
	ck_assert_str_eq(out.s, "https://s token=SECRET");
	text_add(&list, ":b");
	load_list(list.s, true, &out);
	ck_assert_str_eq(out.s, "!more than 32 kubeconfig files");
	done();
}
END_TEST

START_TEST(it_is_said_where_the_config_is_from)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text out = {0};
	struct error error;
	init();
	config_dir_write(&dir, "config", CLUSTER("server: https://s"));
	struct kube_config *config =
	    kube_config_load(&(struct kube_config_options){.kubeconfig = in_dir(arena, "config")}, &error);
	ck_assert_ptr_nonnull(config);
	add_shortened(&out, config->description);
	ck_assert_str_eq(out.s, "context c of ~/config");
	kube_config_free(config);
	done();
}
END_TEST

/* ---- in a pod ---- */

static void load_pod(const char *host, const char *port, const char *context, struct text *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *environment[4] = {(char *)(uintptr_t) "KUBECONFIG="}; /* set to nothing is not set */
	size_t n = 1;
	if (host)
		environment[n++] = (char *)(uintptr_t)arena_printf(arena, "KUBERNETES_SERVICE_HOST=%s", host);
	if (port)
		environment[n++] = (char *)(uintptr_t)arena_printf(arena, "KUBERNETES_SERVICE_PORT=%s", port);
	load(&(struct kube_config_options){.environment = environment, .in_cluster_dir = dir.path, .context = context},
	     out);
}

static const char elsewhere[] = "!weftd does not run in a cluster (KUBERNETES_SERVICE_HOST and _PORT are not set), and "
                                "neither --kubeconfig nor KUBECONFIG says where the API server is";

START_TEST(in_a_pod_its_service_account_is_used)
{
	CLEANUP(text_done) struct text out = {0};
	init();
	load_pod("10.96.0.1", "443", NULL, &out);
	ck_assert_str_eq(out.s, "!the pod has no service account's token: ~/token: No such file or directory");
	config_dir_write(&dir, "token", "SECRET");
	load_pod("10.96.0.1", "443", NULL, &out);
	ck_assert_str_eq(out.s, "https://10.96.0.1:443 ca=~/ca.crt token-file=~/token");
	config_dir_write(&dir, "namespace", "istio-system");
	load_pod("fd00::1", "6443", NULL, &out);
	ck_assert_str_eq(out.s, "https://[fd00::1]:6443 namespace=istio-system ca=~/ca.crt token-file=~/token");
	config_dir_write(&dir, "namespace", "");
	load_pod("10.96.0.1", "443", NULL, &out);
	ck_assert_str_eq(out.s, "https://10.96.0.1:443 ca=~/ca.crt token-file=~/token");
	done();
}
END_TEST

START_TEST(with_nothing_it_is_said_what_to_do)
{
	CLEANUP(text_done) struct text out = {0};
	init();
	config_dir_write(&dir, "token", "SECRET");
	load_pod(NULL, NULL, NULL, &out);
	ck_assert_str_eq(out.s, elsewhere);
	load_pod("10.96.0.1", NULL, NULL, &out);
	ck_assert_str_eq(out.s, elsewhere);
	load_pod("", "443", NULL, &out);
	ck_assert_str_eq(out.s, elsewhere);
	load_pod("10.96.0.1", "443", "c", &out);
	ck_assert_str_eq(out.s, "!a context needs a kubeconfig: --kubeconfig FILE or KUBECONFIG");
	load(&(struct kube_config_options){0}, &out);
	ck_assert_str_eq(out.s, elsewhere);
	done();
}
END_TEST

UNIT_MAIN("kube_config", users_say_as_whom_to_call, clusters_say_where, what_is_no_string_is_to_be_quoted,
          exec_plugins_are_described, contexts_are_found_by_name, what_is_no_kubeconfig_is_refused,
          yaml_that_is_broken_is_not_quoted, a_file_has_a_largest_size, what_stands_in_it_has_a_largest_size,
          a_plugin_has_so_many_arguments, of_several_files_the_first_that_says_something_wins, a_list_has_so_many_files,
          it_is_said_where_the_config_is_from, in_a_pod_its_service_account_is_used, with_nothing_it_is_said_what_to_do)
