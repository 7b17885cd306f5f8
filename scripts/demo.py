"""The demo itself; scripts/demo prepares and starts it."""
import collections
import os
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
import mesh as mesh_rig  # noqa: E402
import traffic  # noqa: E402

HOST = "hello.example.com"
IS_TERMINAL = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
COLOURS = {"v1": "\033[34m", "v2": "\033[33m", "ok": "\033[32m", "bad": "\033[31m", "bold": "\033[1m"}


def paint(colour, text):
    return f"{COLOURS[colour]}{text}\033[0m" if IS_TERMINAL else text


def bar(results, width=50):
    total = sum(results.values()) or 1
    v1 = round(width * results["v1"] / total)
    v2 = round(width * results["v2"] / total)
    return (f"  {paint('v1', '█' * v1)}{paint('v2', '▒' * v2)}{' ' * (width - v1 - v2)}  v1 {100 * results['v1'] / total:5.1f} %   "
            f"v2 {100 * results['v2'] / total:5.1f} %   {total} requests")


def send_and_show(port, n, v2_percent):
    """Sends n requests, shows the split as it grows, and checks the end against the YAML (3 standard deviations)."""
    shown, results, done = collections.Counter(), None, threading.Event()

    def show():
        while not done.wait(0.1):
            print("\r" + bar(shown), end="", flush=True)
    if IS_TERMINAL:
        threading.Thread(target=show, daemon=True).start()
    for _ in range(10):
        shown += traffic.send(port, n // 10, host=HOST)
    results = shown
    done.set()
    print(("\r" if IS_TERMINAL else "") + bar(results))
    error = traffic.split_error(results, "v2", n, v2_percent)
    print("  " + (paint("bad", f"not what the YAML says: {error}") if error else paint("ok", "as the YAML says")))
    return not error


def shows_split(port, n, v2_percent):
    """One right split in 400 lies outside 3 standard deviations by chance: then once more."""
    return send_and_show(port, n, v2_percent) or send_and_show(port, n, v2_percent)


def run(is_delta):
    port = mesh_rig.free_port()
    with mesh_rig.Mesh(os.path.join(ROOT, "examples", "canary")) as mesh:
        mesh.edit("gateway.yaml", "number: 8080", f"number: {port}")
        for name, address in (("v1", "127.0.0.11"), ("v2", "127.0.0.12")):
            mesh.own(traffic.Backend(name, address, 9080))
        weftd = mesh.weftd()
        print(f"{paint('bold', 'weftd')} serves examples/canary: xDS on 127.0.0.1:{weftd.xds_port}, admin on http://127.0.0.1:{weftd.admin_port}/")
        started = time.monotonic()
        envoy = mesh.gateway(weftd, is_delta)
        envoy.wait_listening(port)
        print(f"{paint('bold', 'Envoy')} ({'delta' if is_delta else 'state of the world'} xDS) listens on 127.0.0.1:{port}, "
              f"{1000 * (time.monotonic() - started):.0f} ms after it was started\n")

        print(paint("bold", "virtual-service.yaml says 90 to v1, 10 to v2:"))
        is_right = shows_split(port, 5000, 10)

        print(paint("bold", "\nnow 50/50, edited while requests flow:"))
        with traffic.Load(port, host=HOST) as load:
            load.flow(200)
            text = mesh.read("virtual-service.yaml").replace("weight: 90", "weight: 50").replace("weight: 10", "weight: 50")
            before = weftd.metrics()['weft_xds_acks_total{type="RDS"}']
            started = time.monotonic()
            mesh.write("virtual-service.yaml", text)
            mesh_rig.wait_for("the proxy's acknowledgement", lambda: weftd.metrics()['weft_xds_acks_total{type="RDS"}'] > before and
                              weftd.is_acknowledged(), step_s=0.002)
            print(f"  acknowledged by the proxy {paint('bold', f'{1000 * (time.monotonic() - started):.0f} ms')} after the file was saved")
            load.flow(200)
        lost = {key: count for key, count in load.results.items() if key not in ("v1", "v2")}
        print(f"  {load.total} requests during the change, {paint('bad' if lost else 'ok', f'{sum(lost.values())} lost')}\n")
        is_right &= not lost

        print(paint("bold", "virtual-service.yaml says 50 to v1, 50 to v2:"))
        is_right &= shows_split(port, 2000, 50)
    print("""
Nothing is left running. What to try next:
  build/release/bin/weft validate examples/canary
  build/release/bin/weft translate --config examples/canary --node 'router~127.0.0.1~gw.istio-system~istio-system.svc.cluster.local' \\
      --meta '{"NAMESPACE":"istio-system","LABELS":{"istio":"ingressgateway"}}'
  build/release/bin/weftd --help""")
    return is_right


if __name__ == "__main__":
    try:
        sys.exit(0 if run(is_delta="--sotw" not in sys.argv) else 1)
    except mesh_rig.Timeout as late:
        sys.exit(f"demo: {late}")
    except OSError as error:
        sys.exit(f"demo: {error}")
