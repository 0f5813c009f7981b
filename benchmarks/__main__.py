"""Run benchmarks: ``python -m benchmarks [--tiny] [--only TOPIC ...] [--output FOLDER]``."""

import argparse
from pathlib import Path

from benchmarks import classical, expiry, optimal, scaling, ss

HERE = Path(__file__).parent
TOPICS = {
    "ss": ss,
    "classical": classical,
    "optimal": optimal,
    "expiry": expiry,
    "scaling": scaling,
}


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--tiny", action="store_true", help="sizes that only show that everything runs"
    )
    parser.add_argument(
        "--only", nargs="+", choices=TOPICS, default=list(TOPICS), help="default: all"
    )
    parser.add_argument(
        "--output",
        type=Path,
        help="folder of the results; default benchmarks/results, or _build/benchmarks if tiny",
    )
    options = parser.parse_args(arguments)
    tiny_output = HERE.parent / "_build" / "benchmarks"
    output = options.output or (tiny_output if options.tiny else HERE / "results")
    for topic in TOPICS:
        if topic in options.only:
            TOPICS[topic].main(output, tiny=options.tiny)


if __name__ == "__main__":
    main()
