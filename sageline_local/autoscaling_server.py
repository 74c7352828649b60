"""Application Auto Scaling, which MiniStack lacks, by moto: ``python -m sageline_local.autoscaling_server --port P``.

Moto keeps scalable targets, policies and scheduled actions in memory and scales nothing: what a deployment registers can be
looked at, and what a delete forgets is seen.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

import uvicorn
from flask import Flask, Response
from hypercorn.middleware.wsgi import AsyncioWSGIMiddleware
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.moto_server.werkzeug_app import create_backend_app

from sagemaker_emulator.guard.asgi import Guard
from sagemaker_emulator.guard.decision import Rules
from sagemaker_emulator.guard.keys import root_of, secrets_of
from sagemaker_emulator.listener import listen

_MOST_BYTES = 1024 * 1024
"""Of a request; the service's are of some hundreds."""


def application() -> Flask:
    """The service at ``/``, and ``/ping``."""
    delete_policies_with_their_target()
    app = create_backend_app("applicationautoscaling")
    app.debug = False
    app.add_url_rule("/ping", "ping", lambda: "")
    app.register_error_handler(NotImplementedError, _unknown)
    return app


def delete_policies_with_their_target() -> None:
    """As AWS does; moto 5.2.5 keeps them."""
    deregister = ApplicationAutoscalingBackend.deregister_scalable_target

    def deregister_all(self: ApplicationAutoscalingBackend, namespace: str, r_id: str, dimension: str) -> None:
        deregister(self, namespace, r_id, dimension)
        for policy in list(self.policies.values()):
            if (policy.service_namespace, policy.resource_id, policy.scalable_dimension) == (namespace, r_id, dimension):
                self.delete_scaling_policy(policy.policy_name, namespace, r_id, dimension)

    ApplicationAutoscalingBackend.deregister_scalable_target = deregister_all  # type: ignore[method-assign]  # see above


def _unknown(error: NotImplementedError) -> Response:
    """Another service's operation, or one that moto lacks. Without this it would be a 500, which clients try again."""
    return Response(
        json.dumps({"__type": "UnknownOperationException", "message": f"Application Auto Scaling on this machine: {error}."}),
        status=400,
        content_type="application/x-amz-json-1.1",
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m sageline_local.autoscaling_server", description="Application Auto Scaling on this machine."
    )
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    arguments = parser.parse_args()
    try:
        rules = Rules(secrets_of(*root_of(os.environ)))
        listener = listen(arguments.port)
    except ValueError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"Port {arguments.port} of 127.0.0.1 can not be used: {error.strerror}.")
    served = AsyncioWSGIMiddleware(application(), _MOST_BYTES)
    app = Guard(served, rules)  # type: ignore[arg-type]  # it is ASGI, in hypercorn's own types of scopes and messages
    config = uvicorn.Config(app, lifespan="off", log_level="warning", timeout_graceful_shutdown=2)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
