"""Step 1: the cluster is up, the chart is installed, three engines become Ready."""

from quantum_demo.fleet import RELEASE, Stage, install, ready_control_plane, ready_engines


async def install_the_chart(stage: Stage) -> None:
    """helm install, then wait for the pods."""
    stage.timeline.typed(f"helm upgrade --install {RELEASE} charts/quantum-trader --values charts/quantum-trader/values-embedded.yaml")
    stage.timeline.saw("release installed", seconds=await install(stage.kubectl))
    pods, seconds = await ready_engines(stage.kubectl, 3)
    stage.timeline.saw(f"{len(pods)} engine pods Ready: {', '.join(pod['metadata']['name'] for pod in pods)}", seconds=seconds)
    stage.timeline.saw("operator, Redis and venue Ready", seconds=await ready_control_plane(stage.kubectl))
    await stage.show("get", "pods", "-o", "wide")
