"""What deploys oneorder: the compose file, the Procfile, Flower."""

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from workers.local_stack import LocalStack, free_port

ROOT = Path(__file__).parents[2]


def test_the_compose_file_fits_the_compose_specification() -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*checker, str(ROOT / "docker-compose.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_procfile_names_worker_beat_flower_and_collector() -> None:
    lines = (ROOT / "Procfile").read_text().splitlines()
    commands = dict(line.split(": ", 1) for line in lines)
    assert commands.pop("collector") == "oneorder collect"
    assert commands.keys() == {"worker", "beat", "flower"}
    assert all(command.startswith("celery -A workers ") for command in commands.values())


def test_flower_answers(tmp_path: Path) -> None:
    with LocalStack(tmp_path) as stack:
        stack.start_redis()
        port = free_port()
        celery = [sys.executable, "-m", "celery", "-A", "workers", "flower"]
        stack.start("flower", [*celery, "--address=127.0.0.1", f"--port={port}", "--read_only"])

        def answers() -> bool:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthcheck") as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        stack.wait_for("flower to answer", answers)
        time.sleep(0.1)
        assert stack.processes["flower"].poll() is None


def test_a_settings_file_with_a_mistake_is_one_sentence_for_a_worker(tmp_path: Path) -> None:
    config = tmp_path / "oneorder.toml"
    config.write_text('redis_urll = "redis://127.0.0.1:1/0"\n')
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "workers", "worker"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "ONEORDER_CONFIG": str(config)},
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "oneorder: unknown setting 'redis_urll'; did you mean 'redis_url'?" in done.stderr
    assert "Traceback" not in done.stderr
