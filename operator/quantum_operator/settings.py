"""What the operator is told from outside: QT_OPERATOR_* in the environment."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from quantum_operator.kube import own_namespace


class Settings(BaseSettings):
    """One namespace per operator."""

    model_config = SettingsConfigDict(env_prefix="QT_OPERATOR_", frozen=True)

    namespace: Annotated[str, Field(default_factory=own_namespace, description="Namespace watched; default: the pod's own.")]
    required_approvals: Annotated[int, Field(ge=1, le=16, description="Different people who must approve the release of a stop.")] = 2
    signing_secret: Annotated[str, Field(description="Secret that holds the signing keys.")] = "quantum-trader-signing"  # noqa: S105
    jwks_configmap: Annotated[str, Field(description="ConfigMap that publishes the public keys under jwks.json.")] = "quantum-trader-jwks"
    redis_url: Annotated[str | None, Field(description="Mirror of the newest document per engine; none = no mirror.")] = None
    http_host: Annotated[str, Field(description="Address of metrics and probes.")] = "0.0.0.0"  # noqa: S104
    http_port: Annotated[int, Field(ge=0, le=65_535, description="Port of metrics and probes; 0 = any.")] = 8080
    relist_seconds: Annotated[float, Field(gt=0, le=600, description="Longest time between LISTs of each resource.")] = 20.0
    key_grace_seconds: Annotated[int, Field(ge=0, description="From publishing a new key to signing with it; kubelets take 90 s.")] = 120
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
