"""The command line: `quantum-demo story | up | status | down`."""

import asyncio
from pathlib import Path

import typer
from rich.console import Console

from quantum_cluster.paths import StateDir
from quantum_cluster.supervisor import down as cluster_down
from quantum_cluster.supervisor import standing
from quantum_cluster.supervisor import up as cluster_up
from quantum_demo.fleet import Stage, install, ready_control_plane, ready_engines
from quantum_demo.kubectl import Kubectl
from quantum_demo.stack import DEFAULT_ENGINES, bare_cluster
from quantum_demo.story import tell
from quantum_demo.timeline import StepFailedError, Timeline

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The whole system on one bare machine.")
CLUSTER = "quantum"


@app.command()
def story() -> None:
    """Nine steps from an empty cluster to a released stop, with measured times; a failed step makes the exit code 1."""
    raise typer.Exit(asyncio.run(_story()))


@app.command()
def up() -> None:
    """Start cluster, operator, engines and venue, and leave them running."""
    cluster_up(CLUSTER, durable=True, say=typer.echo)
    kubectl = _running()
    asyncio.run(_install(kubectl))
    typer.echo("\nPoint kubectl at it with")
    typer.echo(f"  export KUBECONFIG={kubectl.kubeconfig} PATH={kubectl.bin_dir}:$PATH")
    typer.echo("then, for example: kubectl apply -f examples/demo/policy.yaml && kubectl get quantumtrader,pods")


@app.command()
def status() -> None:
    """What runs, and how it is."""
    asyncio.run(_show_status(_running()))


@app.command()
def down() -> None:
    """End exactly what `up` started, also after a crash."""
    was_there = cluster_down(CLUSTER, keep_data=False, say=typer.echo)
    typer.echo("everything is down" if was_there else "nothing was running")


async def _story() -> int:
    timeline = Timeline()
    timeline.console.print("Quantum Trader on a real control plane: every line below was just run on this machine.")
    try:
        async with bare_cluster("demo") as stack:
            timeline.saw(f"etcd, kube-apiserver, controller manager, scheduler and a node are up: {stack.cluster.laps_seconds}")
            stage = Stage(stack.kubectl, timeline)
            try:
                await tell(stage)
            except StepFailedError:
                await _explain(stage)
    except TimeoutError as error:
        timeline.failed.append(f"the cluster: {error}")
    timeline.console.print()
    verdict = f"FAILED: {', '.join(timeline.failed)}" if timeline.failed else "every step held"
    timeline.console.print(f"{timeline.seconds:7.1f} s {verdict}")
    return 1 if timeline.failed else 0


async def _explain(stage: Stage) -> None:
    """What a person would look at next."""
    for arguments in (("get", "pods", "-o", "wide"), ("get", "quantumtrader", "-o", "yaml"), ("get", "events")):
        stage.timeline.typed(f"kubectl {' '.join(arguments)}")
        ran = await stage.kubectl.run(*arguments)
        stage.timeline.saw((ran.out or ran.err)[-6000:])
    for component in ("operator", "engine"):
        ran = await stage.kubectl.run("logs", "-l", f"app.kubernetes.io/component={component}", "--tail=40", "--prefix")
        stage.timeline.saw((ran.out or ran.err)[-6000:])


async def _install(kubectl: Kubectl) -> None:
    console = Console(highlight=False)
    console.print(f"chart installed in {await install(kubectl):.1f} s")
    _, seconds = await ready_engines(kubectl, DEFAULT_ENGINES)
    console.print(
        f"{DEFAULT_ENGINES} engines Ready after {seconds:.1f} s; everything else after {await ready_control_plane(kubectl):.1f} s more"
    )


async def _show_status(kubectl: Kubectl) -> None:
    for arguments in (("get", "pods", "-o", "wide"), ("get", "quantumtrader")):
        ran = await kubectl.run(*arguments)
        typer.echo(ran.out or ran.err)


def _running() -> Kubectl:
    """kubectl for the cluster that `up` left running."""
    state = StateDir.named(CLUSTER)
    now = standing(state)
    if not now.usable:
        typer.echo("nothing usable runs: `make up` starts it, `make down` cleans up after a crash", err=True)
        raise typer.Exit(1)
    return Kubectl(bin_dir=Path(now.record["bin_dir"]), kubeconfig=state.kubeconfig)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
