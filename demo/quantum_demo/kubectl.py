"""Runs kubectl and helm as a person would, against one kubeconfig."""

import asyncio
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantum_demo.timeline import StepFailedError


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str
    seconds: float


@dataclass(frozen=True)
class Kubectl:
    """kubectl and helm from ``bin_dir``, pointed at ``kubeconfig`` and ``namespace``."""

    bin_dir: Path
    kubeconfig: Path
    namespace: str = "default"

    async def run(self, *arguments: str, as_user: str | None = None, groups: tuple[str, ...] = (), stdin: str | None = None) -> Ran:
        """Run kubectl; a non-zero exit is a value, not an error."""
        who = [f"--as={as_user}"] if as_user else []
        who += [f"--as-group={group}" for group in groups]
        return await self._exec("kubectl", "-n", self.namespace, *who, *arguments, stdin=stdin)

    async def must(self, *arguments: str, as_user: str | None = None, groups: tuple[str, ...] = (), stdin: str | None = None) -> Ran:
        """Run kubectl and insist."""
        ran = await self.run(*arguments, as_user=as_user, groups=groups, stdin=stdin)
        if ran.code != 0:
            raise StepFailedError(f"kubectl {' '.join(arguments)}: {ran.err.strip() or ran.out.strip()}")
        return ran

    async def get(self, *arguments: str) -> Any:
        """`kubectl get … -o json`, decoded."""
        return json.loads((await self.must("get", *arguments, "-o", "json")).out)

    async def helm(self, *arguments: str) -> Ran:
        """Run helm and insist."""
        ran = await self._exec("helm", "--namespace", self.namespace, *arguments)
        if ran.code != 0:
            raise StepFailedError(f"helm {' '.join(arguments)}: {ran.err.strip() or ran.out.strip()}")
        return ran

    @property
    def cache_dir(self) -> Path:
        """Discovery of this cluster alone."""
        return self.kubeconfig.parent / "kube-cache"

    def forget_discovery(self) -> None:
        """What helm discovered before it installed the kinds does not know them."""
        shutil.rmtree(self.cache_dir, ignore_errors=True)

    async def _exec(self, program: str, *arguments: str, stdin: str | None = None) -> Ran:
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            str(self.bin_dir / program),
            *arguments,
            stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self.cache_dir)},
        )
        out, err = await process.communicate(stdin.encode() if stdin is not None else None)
        return Ran(process.returncode or 0, out.decode(), err.decode(), time.monotonic() - began)
