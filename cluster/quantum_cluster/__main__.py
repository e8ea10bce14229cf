"""The command line: `quantum-cluster up | down | status | exec | tools | kubeconfig`.

In    a verb and a cluster name
Out   what a person needs to know next
Flow  shell, Makefile -> HERE -> supervisor, tools, pods
Why   a folder of verbs would outgrow what they do: each is a few lines over a module that does it
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from quantum_cluster.address_block import NoBlockError
from quantum_cluster.node.actions import inside
from quantum_cluster.paths import StateDir
from quantum_cluster.pods import NoSuchPodError, RunningPods
from quantum_cluster.redis_package import ensure_redis
from quantum_cluster.supervisor import UpError, standing, supervise
from quantum_cluster.supervisor import down as bring_down
from quantum_cluster.supervisor import up as bring_up
from quantum_cluster.tools import ToolError, ensure_tools

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="A Kubernetes cluster out of plain processes, for development, demonstrations and tests. Not for production.",
)  # fmt: skip

Name = Annotated[str, typer.Option("--name", help="Which cluster; several can run side by side.")]
DEFAULT_NAME = "quantum"


@app.command()
def tools() -> None:
    """Find or build etcd, the control plane, kubectl and helm; ensure redis-server."""
    typer.echo(f"tools are in {ensure_tools(typer.echo)}")
    typer.echo(f"redis-server is {ensure_redis(typer.echo)}")


@app.command()
def up(
    name: Name = DEFAULT_NAME,
    durable: Annotated[bool, typer.Option(help="Let etcd fsync: data survives even a power cut.")] = True,
) -> None:
    """Start a cluster in the background and wait until it is usable."""
    fresh = bring_up(name, durable, typer.echo)
    state = StateDir.named(name)
    bin_dir = standing(state).record.get("bin_dir", "")
    typer.echo(f"cluster {name} {'is up' if fresh else 'runs already'}. Point kubectl at it with")
    typer.echo(f"  export KUBECONFIG={state.kubeconfig} PATH={bin_dir}:$PATH")


@app.command()
def down(name: Name = DEFAULT_NAME, keep_data: Annotated[bool, typer.Option(help="Keep etcd's data and the volumes.")] = False) -> None:
    """End exactly what `up` started, also after a crash, and remove the state."""
    typer.echo(f"cluster {name} is down" if bring_down(name, keep_data, typer.echo) else f"no cluster {name} here")


@app.command()
def status(name: Name = DEFAULT_NAME) -> None:
    """Say whether the cluster runs, and which pod processes."""
    state = StateDir.named(name)
    now = standing(state)
    if not now.alive:
        crashed = now.supervisor is not None
        typer.echo(f"cluster {name} {'has lost its supervisor: `down` or `up` cleans up' if crashed else 'does not run'}")
        raise typer.Exit(1)
    typer.echo(f"cluster {name} {'is usable' if now.usable else 'is starting'} at {now.record.get('server')}")
    for key, pid in RunningPods(state).pids().items():
        typer.echo(f"  {pid:>8}  {key}")


@app.command()
def kubeconfig(name: Name = DEFAULT_NAME) -> None:
    """Print the path of the kubeconfig."""
    typer.echo(StateDir.named(name).kubeconfig)


@app.command("exec", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def exec_command(
    context: typer.Context,
    pod: str,
    namespace: Annotated[str, typer.Option("-n", "--namespace")] = "default",
    container: Annotated[str | None, typer.Option("-c", "--container")] = None,
    name: Name = DEFAULT_NAME,
) -> None:
    """Run a command inside a pod, on this terminal: quantum-cluster exec POD -- CMD."""
    if not context.args:
        _fail("say what to run: quantum-cluster exec POD -- CMD")
    record = RunningPods(StateDir.named(name)).record(pod, namespace, container)
    entries = Path(f"/proc/{record.pid}/environ").read_bytes().decode(errors="surrogateescape").split("\0")
    environment = dict(entry.split("=", 1) for entry in entries if "=" in entry)
    argv = inside(record.pid, record.labels["cwd"], context.args)
    os.execve(argv[0], argv, environment)  # noqa: S606 — the terminal belongs to the command


@app.command(hidden=True, name="supervise")
def supervise_command(name: Name = DEFAULT_NAME, durable: bool = True) -> None:
    asyncio.run(supervise(name, durable))


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


def main() -> None:
    try:
        app()
    except (ToolError, UpError, NoSuchPodError, NoBlockError, json.JSONDecodeError) as error:
        typer.echo(f"quantum-cluster: {error}", err=True)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
