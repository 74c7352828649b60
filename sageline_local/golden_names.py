"""The names of the runs and endpoints that the golden events use.

``flowers`` has a model that was replaced by a better one in a canary, ``wines`` and ``aws-docs`` one model each. Whatever an
event uses up has a run and an endpoint of its own, so that no event finds what another one has left.
"""

from __future__ import annotations

from collections.abc import Mapping

from sageline.names import candidate_run_id

_MADE = "20261120100000-0a1b2c"

CHAMPION = "flowers-20261119100000-9f8e7d"
"""The first model of endpoint ``flowers``, which is not served any more."""
FLOWERS = f"flowers-{_MADE}"
"""The run that replaced it."""
WINES = f"wines-{_MADE}"
DOCS = f"aws-docs-{_MADE}"
AUTO = f"auto-{_MADE}"
"""A run of the algorithm auto, which has chosen the model of a candidate."""
CANDIDATE = candidate_run_id(AUTO, "xgboost")
CHANGE = "flowers-20261121100000-3d4e5f"
"""A run that brings CHAMPION back, as far as ConfigureRun."""

VARIABLES: Mapping[str, str] = {
    "ServedVariant": FLOWERS,  # of endpoint flowers
    "ChangeRunId": CHANGE,
    "WinesRunId": WINES,
    "UploadedName": "uploaded",  # a dataset that was uploaded, and its run stopped
    "PartedName": "parted",  # a dataset of two parts, whose _READY is nowhere but in the event
    "BatchRunId": f"scored-{_MADE}",  # has scored a batch with the model of FLOWERS
    "ShardedBatchRunId": f"scored-in-shards-{_MADE}",  # scores the same batch in shards
    "TuningRunId": f"tuned-{_MADE}",
    "ScriptRunId": f"script-{_MADE}",
    "UnvalidatedRunId": f"whole-{_MADE}",  # trained without validation rows
    "ShardedRunId": f"sharded-{_MADE}",  # whose dataset is prepared in shards
    "NewName": "new",
    "NewRunId": f"new-{_MADE}",  # of which nothing is known
    "NewBatchRunId": f"new-batch-{_MADE}",
    "AutoRunId": AUTO,
    "CandidateRunId": CANDIDATE,
    "NewCandidateRunId": candidate_run_id(AUTO, "new"),  # is planned, and has not begun
    "UnluckyRunId": f"unlucky-{_MADE}",  # of auto; no candidate has left a model
    "FailedRunId": f"failed-{_MADE}",  # is to be recorded as failed
    "StoppableRunId": f"stoppable-{_MADE}",  # runs, as far as its record says
    "DeployingRunId": f"deploying-{_MADE}",  # has a model, and no endpoint yet
    "DeployingEndpoint": "deploying",
    "BakingRunId": f"baking-{_MADE}",  # in the middle of a canary
    "BakingEndpoint": "baking",
    "DiscardedRunId": f"discarded-{_MADE}",  # has failed, and left an endpoint
    "DiscardedEndpoint": "discarded",
    "DeletedEndpoint": "deleted",
    "ExpiringEndpoint": "expiring",
    "PromotedEndpoint": "promoted",  # two variants share the traffic
    "PromotedVariant": f"promoted-{_MADE}",
    "RolledBackEndpoint": "rolled-back",
    "RolledBackRunId": f"rolled-back-{_MADE}",  # did there what FLOWERS did to flowers
}
"""The variables of events whose values are the same in every stack."""
