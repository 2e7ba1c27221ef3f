"""Run all benchmarks, or those named: ``python -m tests.benchmarks [area …]``."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import tests.benchmarks as here

VERDICT = {True: "met", False: "MISSED", None: ""}


def main() -> None:
    areas = sorted(
        each.name for each in pkgutil.iter_modules(here.__path__) if each.name.startswith("bench_")
    )
    wanted = [f"bench_{name}" for name in sys.argv[1:]] or areas
    print(f"{'what':<64} {'ours':>12} {'floor':>12} {'unit':<8} {'ratio':>7} {'target':>7}")
    for area in wanted:
        for row in importlib.import_module(f"tests.benchmarks.{area}").run():
            sign = ">=" if row.higher_is_better else "<="
            target = f"{sign}{row.target:g}" if row.target is not None else ""
            print(
                f"{row.what:<64} {row.ours:>12.4g} {row.floor:>12.4g} {row.unit:<8} "
                f"{row.ratio:>7.2f} {target:>7} {VERDICT[row.met]} {row.note}",
                flush=True,
            )


if __name__ == "__main__":
    main()
