"""What serves each endpoint, and the moves from one endpoint config to the next."""

from __future__ import annotations

import hashlib
import logging
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from sagemaker_emulator.clock import now
from sagemaker_emulator.hosting import asynchronous
from sagemaker_emulator.hosting.containers import MODEL_KIND, container_of, is_isolated
from sagemaker_emulator.hosting.variants import Variant, VariantFailed, launch
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.store import Document, copied

logger = logging.getLogger(__name__)

KIND = "endpoint"
CONFIG_KIND = "endpoint-config"
_LONGEST_PAUSE_SECONDS = 30.0
_SHUT_DOWN_SECONDS = 5.0

# The service's own members of an endpoint's document:
#   _next_config  name of the config that is being deployed
#   _deployed     the config (with the weights of now) whose variants serve
#   _homes        directory of each serving variant, by name
#   _roles        execution role of each serving variant's model, by the variant's name


class Deployments:
    """The running variants of all endpoints, and every change of an endpoint's status."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._store = parts.store
        self._directory = parts.home / "endpoints"
        self._serving: dict[str, dict[str, Variant]] = {}
        self._lock = threading.Lock()
        self._switching = threading.Lock()
        self._closed = False

    def variants(self, endpoint_name: str) -> Mapping[str, Variant]:
        """What serves an endpoint now, by variant name."""
        with self._lock:
            return dict(self._serving.get(endpoint_name, {}))

    def wait_for_switch(self) -> None:
        """Return when no endpoint is between two configs: what serves it is then what its document says."""
        with self._switching:
            pass

    def deploy(self, endpoint_name: str, config: Document, homes: Mapping[str, str] | None = None) -> None:
        """Bring up the config's variants, then switch to them all at once; the endpoint is Creating or Updating meanwhile.

        ``homes`` are the directories of variants that come back after a restart.
        """
        _in_background(f"deploy-{endpoint_name}", lambda: self._deploy(endpoint_name, config, homes or {}))

    def remove(self, endpoint_name: str) -> None:
        """End an endpoint's variants and forget the endpoint; it is Deleting meanwhile."""
        _in_background(f"delete-{endpoint_name}", lambda: self._remove(endpoint_name))

    def update(self, endpoint_name: str, change: Callable[[Document], None]) -> Document | None:
        """Change an endpoint's document and tell the world."""
        endpoint = self._store.update(KIND, endpoint_name, change)
        self._tell(endpoint)
        return endpoint

    def _tell(self, endpoint: Document | None) -> None:
        if endpoint is not None:
            self._parts.events.endpoint_changed(endpoint, self._store.tags(endpoint["EndpointArn"]))

    def restore(self) -> dict[str, str]:
        """At start: bring up again what was in service. Returns endpoint names and what happens to them."""
        endpoints = self._store.documents(KIND)
        wanted = {home for endpoint in endpoints for home in endpoint.get("_homes", {}).values()}
        for leftover in self._directory.glob("*/*"):
            if str(leftover) not in wanted:
                shutil.rmtree(leftover, ignore_errors=True)
        return {endpoint["EndpointName"]: self._take_up(endpoint) for endpoint in endpoints}

    def shut_down(self) -> None:
        """End every variant; the endpoints stay in the store and come back at the next start."""
        with self._lock:
            self._closed = True
            ending = [variant for variants in self._serving.values() for variant in variants.values()]
            self._serving.clear()
        end = {"keep_files": True, "grace": _SHUT_DOWN_SECONDS}
        threads = [threading.Thread(target=variant.end, kwargs=end) for variant in ending]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _take_up(self, endpoint: Document) -> str:
        """Go on with an endpoint after a restart; says how, for people."""
        name, state = endpoint["EndpointName"], endpoint["EndpointStatus"]
        if state == "Deleting":
            self.remove(name)
            return "its deletion is finished now"
        if state in ("InService", "Failed"):
            config, homes = endpoint.get("_deployed"), endpoint.get("_homes")
        else:  # Creating or Updating: what was interrupted starts afresh
            config, homes = self._store.get(CONFIG_KIND, endpoint.get("_next_config") or endpoint["EndpointConfigName"]), None
        if config is None:
            if state != "Failed":
                self.update(name, setting(EndpointStatus="Failed", FailureReason="The endpoint configuration is gone."))
            return "is Failed, and serves nothing"
        if state == "InService":
            self.update(name, setting(EndpointStatus="Updating"))
        self.deploy(name, config, homes)
        return "is being started again"

    def _deploy(self, endpoint_name: str, config: Document, homes: Mapping[str, str]) -> None:
        fresh: dict[str, Variant] = {}
        try:
            for variant in config["ProductionVariants"]:
                home = homes.get(variant["VariantName"])
                fresh[variant["VariantName"]] = self._launch(endpoint_name, variant, Path(home) if home else None)
        except Exception as error:  # whatever broke, the endpoint must leave Creating or Updating
            if not isinstance(error, VariantFailed):
                logger.exception("endpoint %s", endpoint_name)
            reason = str(error) if isinstance(error, VariantFailed) else f"Internal error of the local service: {error!r}"
            for name, started in fresh.items():
                started.end(keep_files=self._closed or name in homes)
            self._parts.logs.flush()
            self._failed(endpoint_name, reason)
            return
        self._switch(endpoint_name, config, fresh)

    def _launch(self, endpoint_name: str, variant: Document, home: Path | None = None) -> Variant:
        model = self._store.get(MODEL_KIND, variant["ModelName"])
        if model is None:
            raise VariantFailed(f"The model {variant['ModelName']} of variant {variant['VariantName']} does not exist any more.")
        isolated = is_isolated(model)
        home = home or self._directory / endpoint_name / f"{variant['VariantName']}-{uuid.uuid4().hex[:8]}"
        group, stream = log_group(endpoint_name), log_stream(variant["VariantName"], home)
        return launch(
            self._parts.objects,
            lambda action, resource: self._parts.permissions.role_allows(model["ExecutionRoleArn"], action, resource),
            container_of(model),
            name=variant["VariantName"],
            home=home,
            log=lambda line: self._parts.logs.write(group, stream, line),
            ended=lambda pid: self._bring_back(endpoint_name, variant, pid),
            containers=self._parts.containers,
            isolated=isolated,
            role=lambda: self._parts.credentials.environment(model["ExecutionRoleArn"], isolated=isolated),
        )

    def _switch(self, endpoint_name: str, config: Document, fresh: dict[str, Variant]) -> None:
        def in_service(endpoint: Document) -> None:
            endpoint["EndpointConfigName"] = config["EndpointConfigName"]
            endpoint["ProductionVariants"] = [_summary(variant, self._image(variant)) for variant in config["ProductionVariants"]]
            endpoint["_deployed"] = config
            endpoint["_homes"] = {name: str(variant.home) for name, variant in fresh.items()}
            endpoint["_roles"] = {variant["VariantName"]: self._role(variant) for variant in config["ProductionVariants"]}
            endpoint.pop(asynchronous.CONFIG, None)
            endpoint.update(copied(config, asynchronous.CONFIG))
            endpoint.pop("FailureReason", None)
            setting(EndpointStatus="InService")(endpoint)

        with self._switching:
            with self._lock:
                unwanted = self._closed or self._store.get(KIND, endpoint_name) is None
                old = fresh if unwanted else self._serving.get(endpoint_name, {})
                if not unwanted:
                    self._serving[endpoint_name] = fresh
            endpoint = None if unwanted else self._store.update(KIND, endpoint_name, in_service)
        self._tell(endpoint)
        for variant in old.values():
            variant.end(keep_files=self._closed)
        for document in config["ProductionVariants"]:
            started = fresh[document["VariantName"]]
            if started.has_ended and not unwanted:  # between its first sign of health and here
                self._bring_back(endpoint_name, document, started.pid)

    def _bring_back(self, endpoint_name: str, variant: Document, pid: int) -> None:
        """Start a variant again whose process died by itself, as SageMaker restarts a container."""
        name, pause = variant["VariantName"], 1.0
        while (dead := self.variants(endpoint_name).get(name)) is not None and dead.pid == pid:
            logger.warning("variant %s of endpoint %s died and is started again", name, endpoint_name)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            try:
                fresh = self._launch(endpoint_name, variant, dead.home)
            except VariantFailed as failure:
                logger.warning("variant %s of endpoint %s: %s", name, endpoint_name, failure)
                continue
            except Exception:  # AWS may be out of reach for a while
                logger.exception("variant %s of endpoint %s", name, endpoint_name)
                continue
            with self._lock:
                serving = self._serving.get(endpoint_name, {})
                still_wanted = serving.get(name) is dead
                if still_wanted:
                    serving[name] = fresh
            if not still_wanted:
                fresh.end(keep_files=self._closed)

    def _image(self, variant: Document) -> str:
        model = self._store.get(MODEL_KIND, variant["ModelName"])
        return str(container_of(model)["Image"]) if model else ""

    def _role(self, variant: Document) -> str | None:
        model = self._store.get(MODEL_KIND, variant["ModelName"])
        return str(model["ExecutionRoleArn"]) if model else None

    def _failed(self, endpoint_name: str, reason: str) -> None:
        """The endpoint is Failed, or back InService when its update asked for automatic rollback. What served goes on serving."""
        endpoint = self._store.get(KIND, endpoint_name) or {}
        roll_back = bool((endpoint.get("LastDeploymentConfig") or {}).get("AutoRollbackConfiguration"))
        if roll_back and self.variants(endpoint_name):
            self.update(endpoint_name, setting(EndpointStatus="RollingBack", FailureReason=reason))
            self.update(endpoint_name, setting(EndpointStatus="InService"))
        else:
            self.update(endpoint_name, setting(EndpointStatus="Failed", FailureReason=reason))

    def _remove(self, endpoint_name: str) -> None:
        with self._lock:
            variants = self._serving.pop(endpoint_name, {})
        for variant in variants.values():
            variant.end()
        shutil.rmtree(self._directory / endpoint_name, ignore_errors=True)
        endpoint = self._store.get(KIND, endpoint_name)
        if endpoint is not None:
            self._store.delete(KIND, endpoint_name, endpoint["EndpointArn"])


def log_group(endpoint_name: str) -> str:
    return f"/aws/sagemaker/Endpoints/{endpoint_name}"


def log_stream(variant_name: str, home: Path) -> str:
    """Named for the variant and its instance, which here is its directory."""
    return f"{variant_name}/i-{hashlib.sha256(home.name.encode()).hexdigest()[:17]}"


def setting(**members: str) -> Callable[[Document], None]:
    """A change that sets an endpoint's status (and reason)."""

    def change(endpoint: Document) -> None:
        endpoint.update(members, LastModifiedTime=now())
        if members["EndpointStatus"] in ("InService", "Failed"):
            endpoint.pop("_next_config", None)

    return change


def _in_background(name: str, work: Callable[[], None]) -> None:
    threading.Thread(target=work, name=name, daemon=True).start()


def _summary(variant: Document, image: str) -> Document:
    """A variant as DescribeEndpoint shows it."""
    weight = float(variant.get("InitialVariantWeight", 1.0))
    summary: Document = {
        "VariantName": variant["VariantName"],
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": now()}],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    }
    if "ServerlessConfig" in variant:
        serverless = variant["ServerlessConfig"]
        return {**summary, "CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
    count = variant["InitialInstanceCount"]
    return {**summary, "CurrentInstanceCount": count, "DesiredInstanceCount": count}
