"""oneorder-client as a producer of signals installs it: few packages, none of them heavy."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.release.release_kit import Shell, built
from workers.sandbox.local_stack import LocalStack

pytestmark = [pytest.mark.release, pytest.mark.e2e]

PACKAGES_MAX = 25
# What a new virtual environment has before anything is installed.
GIVEN = {"pip", "setuptools"}
HEAVY = {"ccxt", "pandas", "sqlalchemy", "numpy", "aiohttp"}
PACKAGES_OF_OURS = {"execution", "workers", "paper_exchange"}
IMPORT = "from oneorder import OrderSignal, publish_order"
MEASURE = f"""
import json, sys, time
began = time.process_time()
{IMPORT}
spent = time.process_time() - began
print(json.dumps([spent, sorted({{name.partition(".")[0] for name in sys.modules}})]))
"""
IMPORT_ALL = """
import importlib, pkgutil, oneorder
for module in pkgutil.walk_packages(oneorder.__path__, "oneorder."):
    importlib.import_module(module.name)
"""
PUBLISH = """
import json, sys
from oneorder import OrderSignal, publish_order
signal = OrderSignal(signal_id="s-1", account="binance-main", symbol="BTC/USDT", side="buy",
                     type="market", amount="0.01")
woken = publish_order(signal).woken
print(json.dumps([woken, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


@pytest.fixture(scope="module")
def client(
    python: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The interpreter of an environment that has the client and nothing else."""
    shell = Shell(tmp_path_factory.mktemp("elsewhere"), environment)
    shell.run(python, "-m", "pip", "install", "--quiet", built("oneorder-client", "*.whl"))
    return python


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """The address of a server of this test's own."""
    with LocalStack(tmp_path / "redis") as stack:
        stack.start_redis()
        yield stack.redis_url


def _installed(client: Path, shell: Shell) -> set[str]:
    rows = json.loads(shell.run(client, "-m", "pip", "list", "--format", "json"))
    return {row["name"] for row in rows} - GIVEN


def test_the_client_brings_few_packages_and_none_of_the_heavy_ones(
    client: Path, shell: Shell
) -> None:
    installed = _installed(client, shell)
    assert "oneorder-client" in installed
    assert len(installed) <= PACKAGES_MAX
    assert not installed & HEAVY


def test_a_producer_imports_the_client_from_any_folder_without_loading_celery_or_redis(
    client: Path, shell: Shell, summary: list[str]
) -> None:
    shell.run(client, "-c", IMPORT)
    runs = [json.loads(shell.run(client, "-c", MEASURE)) for _ in range(3)]
    spent_s, modules = min(runs)
    assert not {"celery", "kombu", "redis", *HEAVY, *PACKAGES_OF_OURS} & set(modules)
    version = shell.run(client, "--version").strip()
    summary.append(
        f"oneorder-client on {version}: {len(_installed(client, shell))} packages, "
        f"imported in {spent_s:.2f} s of processor time"
    )


def test_every_module_of_the_client_works_with_what_the_client_installs(
    client: Path, shell: Shell
) -> None:
    shell.run(client, "-c", IMPORT_ALL)


def test_a_signal_that_the_client_publishes_is_in_redis_and_wakes_a_worker(
    client: Path, shell: Shell, redis_url: str
) -> None:
    published = shell.run(client, "-c", PUBLISH, ONEORDER_REDIS_URL=redis_url)
    woken, modules = json.loads(published)
    assert woken
    assert {"celery", "redis"} <= set(modules)
    assert not set(modules) & (HEAVY | PACKAGES_OF_OURS)
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        ((_, intent),) = redis.xrange("oneorder:signals")
        assert json.loads(intent["body"])["signal_id"] == "s-1"
        assert redis.llen("orders") == 1
