"""The states of the state machine, as people read of them."""

from __future__ import annotations

DOES = {
    "ConfigureRun": "read the spec, look at the data",
    "PlanShards": "cut the dataset into shards",
    "ScanShards": "find where records begin",
    "SettleShards": "note where shards begin",
    "FitShards": "count the rows of the shards",
    "MergeGroups": "put some shards' counts together",
    "MergeFit": "put the shards' counts together",
    "EncodeShards": "encode the rows of the shards",
    "PrepareData": "split and encode the rows",
    "StartTraining": "ask SageMaker to train",
    "CheckTraining": "train",
    "CreateModel": "register the model",
    "RunEvaluationTransform": "answer the test rows",
    "EvaluateModel": "judge the model by its answers",
    "RunChampionTransform": "answer as the model in service",
    "CompareModels": "compare it with the one in service",
    "TrainCandidates": "train several algorithms",
    "ChooseCandidate": "choose by the validation rows",
    "CreateChosenModel": "register the chosen model",
    "DiscardModel": "remove the refused model",
    "EncodeBatch": "encode the rows to predict",
    "RunTransform": "predict",
    "WritePredictions": "write the predictions",
    "DeployEndpoint": "ask SageMaker for the endpoint",
    "CheckEndpoint": "wait until the endpoint serves",
    "SmokeTest": "predict held-out rows",
    "ShiftTraffic": "give the new model more traffic",
    "Bake": "watch the new model's alarms",
    "RestoreModels": "make models that are gone again",
    "PromoteVariant": "give the model its traffic",
    "DiscardDeployment": "take back what was deployed",
    "RecordFailure": "note what went wrong",
}
"""What a run does in each state, in a few words."""
