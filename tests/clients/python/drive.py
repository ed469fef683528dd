"""Drives the official Python client through everything that it can do, and checks what it gets."""

import inspect
import sys
import traceback

import support
from cases import accounts, administration, external, factors, messages

passed = failed = waiting = 0
for module in (accounts, messages, factors, external, administration):
    group = module.__name__.split(".")[-1]
    for name, case in inspect.getmembers(module, inspect.isfunction):
        if case.__module__ != module.__name__ or name.startswith("_"):
            continue
        missing = [endpoint for endpoint in getattr(case, "needs", ()) if not support.serves(endpoint)]
        if missing:
            waiting += 1
            print(f"wait {group}: {name} ({', '.join(missing)} not there yet)")
            continue
        try:
            case()
            passed += 1
            print(f"ok   {group}: {name}")
        except Exception:
            failed += 1
            print(f"FAIL {group}: {name}")
            traceback.print_exc()

untouched = [name for name in support.surface() if name not in support.called]
if untouched:
    print(f"not called: {', '.join(untouched)}")
    # While cases wait, so do their methods.
    failed += waiting == 0
print(f"{passed} passed, {failed} failed, {waiting} waiting")
sys.exit(1 if failed else 0)
