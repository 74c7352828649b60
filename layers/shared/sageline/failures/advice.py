"""What to try, by what went wrong."""

from __future__ import annotations

import re

_BY_TEXT = {
    r"is not installed here": (
        "The stack on this machine runs frameworks that are installed beside it: `make setup-tensorflow` or `make setup-pytorch` "
        "installs what the message names. In AWS the containers have it. Then start another run."
    ),
    r"`input` is s3://": (
        "Put the rows where the message says, in a format that it allows, correct `input` (in a spec `batch.input`), and start "
        "again."
    ),
    r"No image of \S+ is known for region": (
        "Deploy the stack in a region that the message names, or set `algorithm` to one that has an image where it is."
    ),
    r"ResourceLimitExceeded": (
        "Wait until other jobs have ended or delete an endpoint; or ask AWS for a higher quota, which the message names (Service "
        "Quotas, Amazon SageMaker); or set `algorithm.instance_type` or `deployment` to something that the account may use."
    ),
    r"no spot capacity": ("Nobody had a spare machine: set `algorithm.spot` to false, or another `algorithm.instance_type`."),
    r"CapacityError": ("AWS has no such machine free at the moment: try again later, or set another `algorithm.instance_type`."),
    r"InternalServerError": ("The fault is on AWS's side: start the run again."),
    r"No S3 objects found": (
        "What the job was to read is not there. If somebody or something has deleted it while the run went on, start another run "
        "and let nothing below runs/ be deleted as long as it runs; if a split has no rows, give it a larger share (`split`), or "
        "upload more rows."
    ),
    r"No data in \w+ channel|Data download failed": (
        "A channel of the job has no data, or its role may not read it: give the split that the message names a larger "
        "share (`split`), or upload more rows."
    ),
    r"AccessDenied": (
        "A permission is missing: the message names the action. Deploy the stack's template again; a dataset in another "
        "bucket must be readable for the stack's roles."
    ),
    r"ThrottlingException": ("AWS is asked for too much at once: start the run again in a minute."),
    r"out of memory|SIGKILL|OutOfMemory|MemoryError": (
        "Set a larger `algorithm.instance_type`, or fewer columns (`encoder.max_words`, `encoder.max_categories`)."
    ),
    r"ExceedToleratedFailureThreshold": (
        "A function that works on a shard has failed three times; the log groups of ScanShardFunction, FitShardFunction, "
        "MergeFitFunction, EncodeShardFunction and EvaluateShardFunction say why, for a batch those of ScanShardFunction, "
        "EncodeBatchFunction and WritePredictionsFunction. Where memory or time has run out, raise their MemorySize in "
        "template.yaml, or upload the rows in smaller parts. Where none has run, the account's functions were busy: set "
        "`preparation.workers` (`batch.workers`) lower, or ask AWS for more concurrent executions."
    ),
    r"Runtime\.ExitError|Runtime exited": (  # as Step Functions tells it, or Lambda in what Step Functions calls Lambda.Unknown
        "The function ran out of memory: raise the MemorySize of the function of this state in template.yaml; for PrepareData "
        "that is PrepareDataFunction."
    ),
    r"Task timed out": (
        "The dataset takes a function longer than its 15 minutes: set `preparation.workers` in the spec higher, for a batch "
        "`batch.workers`, upload a random sample of its rows, or fewer columns."
    ),
    r"Missing required hyperparameter|is a required property|Require input for parameter": (
        "The algorithm needs the hyperparameter that the message names: add it to `algorithm.hyperparameters`, or to "
        "`tuning.ranges`."
    ),
    r"Extraneous hyperparameter|Additional properties are not allowed": (
        "The algorithm knows no hyperparameter of that name: look at its spelling, or take it out of `algorithm.hyperparameters`."
    ),
    r"Hyperparameter \S+: .*(is not in|not in range|could not parse)|is not valid under any of the given schemas|is "
    r"not one of \[|does not match|is (less|greater) than the (minimum|maximum)": (
        "A hyperparameter is out of its range, or of a wrong type: correct it in `algorithm.hyperparameters` or "
        "`tuning.ranges`, or leave it out."
    ),
    r"[Cc]hannel configuration .* is not supported|[Cc]ontent[- ]type.* (not supported|unsupported)|[Uu]nsupported "
    r"[Mm]edia [Tt]ype|UnsupportedFormat|Unsupported content|\b415\b": (
        "The container refuses the content type that it was sent: a script's input function must take what the run sends "
        "(`algorithm.script.channel_format` for the training data; application/json for TensorFlow, application/x-npy for"
        " other frameworks when predicting)."
    ),
    r"No module named|ModuleNotFoundError": (
        "The script imports what its container lacks: put the package into the script's folder (`algorithm.script.source_dir`)."
    ),
    r"NoCredentialsError|Unable to locate credentials|EndpointConnectionError|Network is unreachable|name resolution|"
    r"Name or service not known|No matching distribution found": (
        "A script's container has no network and no credentials: put what it needs into its folder or the dataset, or set "
        "`algorithm.script.network` to true, which the stack must allow (AllowScriptNetwork)."
    ),
    r"unrecognized arguments": (
        "The script does not know a hyperparameter that it was given: declare it in the script, or take it out of "
        "`algorithm.hyperparameters`."
    ),
    r"ExecuteUserScriptError|script ended with exit code": (
        "The script itself failed: its last log lines say where. Correct it and submit it again; an archive that you have put "
        "into the bucket yourself, upload anew before."
    ),
    r"KeyError: '?SM_": (
        "The script trains while it is imported to serve, where no channel is there: put what trains below "
        '`if __name__ == "__main__":`, and start another run.'
    ),
    r"maximum runtime": ("Raise `algorithm.max_runtime_seconds`, set a larger `algorithm.instance_type`, or let it do less."),
    r"took longer than its `max_runtime_seconds`": (
        "Raise the batch's `max_runtime_seconds`, or give it more or larger instances."
    ),
    r"the test rows took longer than": (
        "Set a larger `evaluation.instance_type`, or hold fewer rows out of training (`split.test`)."
    ),
    r"has reported \S+\.": (
        "Without the objective the trials cannot be compared: let the script print the metric, and look whether its "
        "expression in `algorithm.script.metrics` finds it; for an algorithm of SageMaker's, give validation rows "
        "(`split`)."
    ),
}
"""Pattern in an error's name or message, to advice; the first that is found counts."""

_STOPPED_BY_OTHERS = (
    "Somebody with access to the account, or a program, has stopped it (SageMaker's console or API); CloudTrail ({}) says who. "
    "Start another run if that was not meant. To stop a run, use `sageline stop`, which stops its jobs too."
)

_BY_ERROR = {
    "InvalidSpec": ("Correct the spec and submit it again; docs/spec.md lists every key."),
    "InvalidHyperparameter": ("Correct or leave out the hyperparameter: what is left out gets a default."),
    "BudgetExceeded": ("Change what the message names, and submit again; docs/costs.md says how the sum is made."),
    "QuotaExceeded": (
        "Request a higher quota, which takes AWS minutes to days, or change what the message names, and start another run."
    ),
    "InvalidEvent": (
        "The state machine and the functions are of two versions, or a function was called by hand: deploy the stack's template "
        "again, and start another run."
    ),
    "InvalidPrices": ("Correct prices.json in the stack's bucket, or delete it; docs/costs.md has its form."),
    "InvalidDataset": ("Do what the message says, in the file or in the spec, and submit it again."),
    "DatasetNotFound": ("Upload it again, or correct `dataset.uri`; the object must stay there while the run reads it."),
    "DatasetAccessDenied": ("Upload the data into the stack's own bucket, or let the stack's roles read it where it is."),
    "ProcessDied": (
        "Start the run again. If it ends so once more, the memory may not suffice: raise the MemorySize of PrepareDataFunction "
        "in template.yaml."
    ),
    "InvalidRequest": ("Start runs by an upload or through POST /pipelines, not by starting the state machine by hand."),
    "ResourceConflict": ("Remove what the message names, or choose another name."),
    "TrainingJobFailed": (
        "Read the job's last log lines; correct the data or `algorithm.hyperparameters` and start another run."
    ),
    "CandidatesFailed": (
        "Mend what the algorithms' reasons have in common, most often the data; or name one algorithm in `algorithm.name`, which "
        "fails with more about its own reason. Then start another run."
    ),
    "TrainingJobStopped": _STOPPED_BY_OTHERS.format("StopTrainingJob"),
    "ObjectMissing": (
        "Start another run, and let nothing below runs/ be deleted as long as it is needed. The bucket keeps the old versions of "
        "what was deleted for a while (NoncurrentVersionDays), so it can also be brought back."
    ),
    "Stopped": "Nothing needs mending: its jobs are stopped, and what it was deploying is taken back. Start another when wanted.",
    "ExecutionAborted": (
        "Its jobs are stopped, and what it was deploying is taken back. CloudTrail (StopExecution) says who did it. Start "
        "another run if it was not meant."
    ),
    "ExecutionTimedOut": (
        "Let the run do less (fewer `tuning.max_jobs`, a smaller `algorithm.max_runtime_seconds`), or deploy the template with a "
        "larger CheckIntervalSeconds, with which a run may wait longer; then start another run."
    ),
    "ExecutionFailed": "The execution's events in Step Functions say more. Start another run.",
    "ExecutionDoesNotExist": "Nobody can tell how it ended. Start another run.",
    "EndpointNotFound": "See what is there (sageline endpoints), and start the batch for one of those.",
    "PredictionFailed": (
        "Read the transform job's log (/aws/sagemaker/TransformJobs): the model answers something else than it should."
    ),
    "InvalidEncoder": (
        "What the model was trained with is gone or damaged: train it again. If it was deleted, it can be brought back as long "
        "as the bucket keeps its old version (NoncurrentVersionDays)."
    ),
    "ModelMissing": (
        "If somebody has deleted it, start another run. Else let the script save its model into the folder that the environment "
        "variable SM_MODEL_DIR names (for TensorFlow as a SavedModel, in a folder named by a number such as 1), and start "
        "another run."
    ),
    "TuningJobFailed": (
        "Read the last log lines of the training job that the message names; correct the data, `tuning.ranges` or "
        "`algorithm`, then start another run."
    ),
    "TuningJobStopped": _STOPPED_BY_OTHERS.format("StopHyperParameterTuningJob"),
    "TransformJobFailed": (
        "Read the job's log (/aws/sagemaker/TransformJobs); compare the input with the data that the model was trained "
        "on, then start again."
    ),
    "TransformJobStopped": _STOPPED_BY_OTHERS.format("StopTransformJob"),
    "EndpointFailed": (
        "Read the endpoint's log (/aws/sagemaker/Endpoints/ and its name); more memory often helps "
        "(`deployment.serverless.memory_mb`). Then start another run."
    ),
    "EndpointWarming": (
        "The model took longer to start than a serverless endpoint gives it: start the run again. If it happens again, give it "
        "more memory (`deployment.serverless.memory_mb`), or instances (`deployment.instances`)."
    ),
    "ConcurrentModification": "Start the run again: somebody else was changing the endpoint while the run did.",
    "EndpointNotReady": ("Wait until the endpoint is InService, or stop the run that is changing it; then start this run again."),
    "RolloutAlarm": (
        "The old model has all the traffic again. Read the endpoint's log (/aws/sagemaker/Endpoints/ and its name) for what the "
        "new one did; if the alarm was too strict, raise `deployment.alarms`. Then start another run."
    ),
    "SmokeTestFailed": (
        "The model's answers to held-out rows make no sense: look at the data and the job's metrics, then start another run."
    ),
    "RunFinished": ("Start another run."),
    "SettingsError": ("Deploy the stack's template again."),
    "States.ServiceRestart": "Nothing is wrong with the run itself: start another one.",  # told where Step Functions is MiniStack
    "States.Timeout": ("A step took longer than it may: start the run again; if it happens again, look at the function's log."),
}

_OTHERWISE = "Look at the log of the function that the state invokes; it has the details."

_CHECKED_BEFOREHAND = (
    *("InvalidSpec", "InvalidHyperparameter", "InvalidDataset", "ModelMissing", "BudgetExceeded", "QuotaExceeded"),
)
"""What Sageline itself has found out, in its own words: those say more than a pattern in them."""


_MOST_LOOKED_AT = 4000
"""Characters of a message: the patterns take quadratic time, and what a message is about stands at its beginning."""


def advice(error: str, message: str) -> str:
    """A sentence or two on what to try, from an error's name (a class of ``sageline.errors``, or AWS's) and message."""
    if error not in _CHECKED_BEFOREHAND:
        for pattern, what_to_try in _BY_TEXT.items():
            if re.search(pattern, f"{error} {message[:_MOST_LOOKED_AT]}"):
                return what_to_try
    return _BY_ERROR.get(error, _OTHERWISE)
