"""TAP for the Python tests: `with tap.case("name"):` passes unless the block raises; tap.done() ends the program."""
import contextlib
import sys
import traceback

_count = 0
_failed = 0


class Skip(Exception):
    """Raised in a case: it cannot be tried here, for the reason given."""


def report(is_ok, name, note=""):
    global _count, _failed
    _count += 1
    _failed += not is_ok
    print(f"{'ok' if is_ok else 'not ok'} {_count} - {name}{note}", flush=True)


@contextlib.contextmanager
def case(name):
    try:
        yield
    except Skip as reason:
        report(True, name, f" # SKIP {reason}")
    except Exception as error:  # a test's failure is any exception
        trace = traceback.format_exc() if not isinstance(error, AssertionError) else str(error) or traceback.format_exc()
        for line in trace.rstrip().splitlines():
            print(f"# {line}")
        report(False, name)
    else:
        report(True, name)


def done():
    print(f"1..{_count}", flush=True)
    sys.exit(1 if _failed else 0)
