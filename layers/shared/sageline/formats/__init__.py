"""The byte formats of SageMaker's algorithms: RecordIO-protobuf, label-first CSV, and XGBoost's answers."""
