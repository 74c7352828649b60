"""CreateEndpoint and the calls about endpoints."""

from __future__ import annotations

from sagemaker_emulator.call import Call
from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import ServiceError, invalid
from sagemaker_emulator.hosting import asynchronous, configs
from sagemaker_emulator.hosting.deployments import KIND, Deployments
from sagemaker_emulator.listing import Listing
from sagemaker_emulator.store import Document, Request, copied

MOST_ENDPOINTS = 50
_IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")

_LISTING = Listing("ListEndpoints", "EndpointName", status="EndpointStatus")


def create_endpoint(deployments: Deployments, call: Call) -> Document:
    request = call.request
    name = request["EndpointName"]
    arn = call.place.arn(KIND, name)
    call.require_create(arn)
    config_arn = call.place.arn(configs.KIND, request["EndpointConfigName"])
    call.require(config_arn)
    config = configs.existing(call, request["EndpointConfigName"])
    if len(call.store.documents(KIND)) >= MOST_ENDPOINTS:
        raise ServiceError(
            "ResourceLimitExceeded",
            f"The account-level service limit 'Total number of endpoints' is {MOST_ENDPOINTS} Endpoints, with current "
            f"utilization of {MOST_ENDPOINTS} Endpoints and a request delta of 1 Endpoints. Delete an endpoint that is not "
            "needed any more.",
        )
    created = now()
    endpoint = {
        "EndpointName": name,
        "EndpointArn": arn,
        "EndpointConfigName": config["EndpointConfigName"],
        "EndpointStatus": "Creating",
        "CreationTime": created,
        "LastModifiedTime": created,
        **copied(config, "AsyncInferenceConfig", "DataCaptureConfig"),
    }
    if not call.store.insert(KIND, name, endpoint):
        raise invalid(f'Cannot create already existing endpoint "{arn}".')
    call.store.add_tags(arn, call.request_tags())
    deployments.update(name, lambda _: None)
    deployments.deploy(name, config)
    return {"EndpointArn": arn}


def describe_endpoint(call: Call) -> Document:
    name = call.request["EndpointName"]
    call.require(call.place.arn(KIND, name))
    return existing(call, name)


def list_endpoints(call: Call) -> Document:
    call.require("*", exists=False)
    endpoints, more = _LISTING.page(call.store.documents(KIND), call.request)
    members = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
    return {"Endpoints": [copied(endpoint, *members) for endpoint in endpoints], **more}


def update_endpoint(deployments: Deployments, call: Call) -> Document:
    request = call.request
    name = request["EndpointName"]
    arn = call.place.arn(KIND, name)
    call.require(arn)
    call.require(call.place.arn(configs.KIND, request["EndpointConfigName"]))
    endpoint = existing(call, name)
    config = configs.existing(call, request["EndpointConfigName"])
    _check_update(endpoint, config)
    target = _retained(endpoint, config, request) if request.get("RetainAllVariantProperties") else config

    def start(document: Document) -> None:
        if document["EndpointStatus"] in _IN_PROGRESS:
            raise _busy(arn)
        document.update(EndpointStatus="Updating", LastModifiedTime=now(), _next_config=config["EndpointConfigName"])
        if not request.get("RetainDeploymentConfig"):
            document["LastDeploymentConfig"] = request.get("DeploymentConfig")
        document.pop("FailureReason", None)

    deployments.update(name, start)
    deployments.deploy(name, target)
    return {"EndpointArn": arn}


def delete_endpoint(deployments: Deployments, call: Call) -> Document:
    name = call.request["EndpointName"]
    arn = call.place.arn(KIND, name)
    call.require(arn)
    existing(call, name)

    def start(document: Document) -> None:
        if document["EndpointStatus"] in _IN_PROGRESS:
            raise _busy(arn)
        document.update(EndpointStatus="Deleting", LastModifiedTime=now())

    deployments.update(name, start)
    deployments.remove(name)
    return {}


def update_endpoint_weights_and_capacities(deployments: Deployments, call: Call) -> Document:
    request = call.request
    name = request["EndpointName"]
    arn = call.place.arn(KIND, name)
    call.require(arn)
    endpoint = existing(call, name)
    if endpoint["EndpointStatus"] != "InService":
        raise _busy(arn)
    desired = _by_variant(endpoint, request["DesiredWeightsAndCapacities"])

    def start(document: Document) -> None:
        if document["EndpointStatus"] != "InService":
            raise _busy(arn)
        for variant in document["ProductionVariants"]:
            _set_desired(variant, desired.get(variant["VariantName"], {}))
        document.update(EndpointStatus="Updating", LastModifiedTime=now())

    def finish(document: Document) -> None:
        for variant in document["ProductionVariants"]:
            for member in ("Weight", "InstanceCount", "ServerlessConfig"):
                if f"Desired{member}" in variant:
                    variant[f"Current{member}"] = variant[f"Desired{member}"]
        document.update(EndpointStatus="InService", LastModifiedTime=now())
        _remember(document)

    # No instance changes here, so the new weights are in force at once, after the same walk of statuses as in AWS.
    deployments.update(name, start)
    deployments.update(name, finish)
    return {"EndpointArn": arn}


def _by_variant(endpoint: Document, wanted: list[Request]) -> dict[str, Request]:
    """What is wanted of each variant; raises ValidationException for one that is not there, or is there twice."""
    desired: dict[str, Request] = {}
    for item in wanted:
        if item["VariantName"] in desired:
            raise invalid(f'The variant name "{item["VariantName"]}" was non-unique within the request.')
        desired[item["VariantName"]] = item
    unknown = desired.keys() - {variant["VariantName"] for variant in endpoint.get("ProductionVariants", [])}
    if unknown:
        raise invalid(
            f'The variant name(s) "{", ".join(sorted(unknown))}" is/are not present within endpoint configuration '
            f'"{endpoint["EndpointConfigName"]}".'
        )
    return desired


def existing(call: Call, name: str) -> Document:
    endpoint = call.store.get(KIND, name)
    if endpoint is None or endpoint["EndpointName"] != name:
        raise invalid(f'Could not find endpoint "{call.place.arn(KIND, name)}".')
    return endpoint


def _busy(arn: str) -> ServiceError:
    return invalid(f'Cannot update in-progress endpoint "{arn}".')


def _check_update(endpoint: Document, config: Document) -> None:
    if endpoint["EndpointStatus"] in _IN_PROGRESS:
        raise _busy(endpoint["EndpointArn"])
    asynchronous.check_update(endpoint, config)
    deployed = endpoint.get("_deployed", {}).get("ProductionVariants", [])
    was_serverless = any(configs.is_serverless(variant) for variant in deployed)
    if deployed and not was_serverless and any(configs.is_serverless(variant) for variant in config["ProductionVariants"]):
        raise invalid(
            f'Cannot update the instance-based endpoint "{endpoint["EndpointArn"]}" to a serverless one. Create a new endpoint.'
        )


def _retained(endpoint: Document, config: Document, request: Request) -> Document:
    """The config with the weights and counts that the endpoint's variants of the same name have now."""
    excluded = {item["VariantPropertyType"] for item in request.get("ExcludeRetainedVariantProperties", [])}
    current = {variant["VariantName"]: variant for variant in endpoint.get("ProductionVariants", [])}
    variants = []
    for variant in config["ProductionVariants"]:
        now_serving = current.get(variant["VariantName"], {})
        kept = {}
        if "DesiredWeight" not in excluded and "CurrentWeight" in now_serving:
            kept["InitialVariantWeight"] = now_serving["CurrentWeight"]
        if "DesiredInstanceCount" not in excluded and "InitialInstanceCount" in variant and "CurrentInstanceCount" in now_serving:
            kept["InitialInstanceCount"] = now_serving["CurrentInstanceCount"]
        variants.append({**variant, **kept})
    return {**config, "ProductionVariants": variants}


def _set_desired(variant: Document, desired: Request) -> None:
    if "DesiredWeight" in desired:
        variant["DesiredWeight"] = float(desired["DesiredWeight"])
    if "DesiredInstanceCount" in desired:
        if "CurrentServerlessConfig" in variant:
            raise invalid(f"DesiredInstanceCount can not be set for the serverless variant {variant['VariantName']}.")
        variant["DesiredInstanceCount"] = desired["DesiredInstanceCount"]
    if "ServerlessUpdateConfig" in desired:
        if "CurrentServerlessConfig" not in variant:
            raise invalid(f"ServerlessUpdateConfig can not be set for the instance-based variant {variant['VariantName']}.")
        variant["DesiredServerlessConfig"] = {**variant["CurrentServerlessConfig"], **desired["ServerlessUpdateConfig"]}


def _remember(document: Document) -> None:
    """Keep changed weights and counts for a restart of the service."""
    current = {variant["VariantName"]: variant for variant in document["ProductionVariants"]}
    for variant in document.get("_deployed", {}).get("ProductionVariants", []):
        now_serving = current[variant["VariantName"]]
        variant["InitialVariantWeight"] = now_serving["CurrentWeight"]
        if "CurrentInstanceCount" in now_serving:
            variant["InitialInstanceCount"] = now_serving["CurrentInstanceCount"]
