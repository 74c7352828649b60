"""Application Auto Scaling, which MiniStack lacks, by moto: ``python -m local.autoscaling_server --port P``.

Moto keeps scalable targets, policies and scheduled actions in memory and scales nothing: what a deployment registers can be
looked at, and what a delete forgets is seen.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys

from flask import Flask, Response
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.serving import make_server


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
        prog="python -m local.autoscaling_server", description="Application Auto Scaling on this machine."
    )
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    arguments = parser.parse_args()
    # A line for every request otherwise.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    try:
        server = make_server("127.0.0.1", arguments.port, application(), threaded=True)
    except OSError as error:
        sys.exit(f"Port {arguments.port} of 127.0.0.1 can not be used: {error.strerror}.")
    server.serve_forever()


if __name__ == "__main__":
    main()
