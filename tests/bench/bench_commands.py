"""Measure what commands cost: `python -m tests.bench.bench_commands [REPEATS]`.

Processor seconds (user and system) of processes of their own, in a folder where the demo was run.
The least of several repeats counts: on a busy machine the others measure the neighbours.
"""

import os
import subprocess
import sys
import tempfile

from tests.support import SENDING

COMMANDS = {
    "--version": 0.3,
    "status": 0.6,
    "preview --topic robots": 1.0,
    "send --to you@example.org --topic robots": 1.5,
}  # with the seconds that each may take


def processor_seconds(words: list[str], environment: dict[str, str]) -> float:
    """Processor seconds of one `digest WORDS`. Exit status 1 is an answer of `status`."""
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "digest", *words],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    after = os.times()
    assert done.returncode in {0, 1}, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


def main(repeats: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        named = {f"DIGEST_{name.rstrip('_').upper()}": value for name, value in SENDING.items()}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DIGEST_")}
        environment = {**kept, **named, "DIGEST_HOME": folder}
        demo = processor_seconds(["demo", "--home", folder], kept)
        print(f"{'demo':42} {demo:5.2f} s")
        for command, wanted in COMMANDS.items():
            took = [processor_seconds(command.split(), environment) for _ in range(repeats + 1)]
            print(f"{command:42} {min(took):5.2f} s, first {took[0]:.2f} s, wanted {wanted} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
