"""k-NN on the pixels of signs, whole numbers from 0 to 255, which the SDK writes into RecordIO-protobuf as they are."""

import io
import json
import tempfile
import time

import boto3
import numpy as np
import pandas as pd
import sagemaker
from role import get_execution_role
from sagemaker.amazon.amazon_estimator import get_image_uri
from sagemaker.amazon.common import write_numpy_to_dense_tensor
from sagemaker.session import s3_input
from sklearn.datasets import load_digits

bucket = sagemaker.Session().default_bucket()

# The data: scikit-learn's digits, drawn on 28 x 28 pixels, the label first, in a CSV file with a header.
digits = load_digits()
images = np.pad(np.kron(digits.images, np.ones((3, 3))), ((0, 0), (2, 2), (2, 2))) * 255 // 16
table = pd.DataFrame(images.reshape(-1, 784).astype(int), columns=[f"pixel{number}" for number in range(1, 785)])
table.insert(0, "label", digits.target)
with tempfile.NamedTemporaryFile(suffix=".csv") as file:
    table.to_csv(file.name, index=False)
    boto3.client("s3").upload_file(file.name, bucket, "data-file.csv")

# Explore.
df = pd.read_csv(io.BytesIO(boto3.client("s3").get_object(Bucket=bucket, Key="data-file.csv")["Body"].read()))
pic = df.head(1).values[0][1:].reshape((28, 28))
print("\n".join("".join(" .:#"[min(pixel // 64, 3)] for pixel in row) for row in pic[::2]))
train, test = df[:1300], df[1300:]


# Build.
def convert_and_upload(pixs, labels, bucket_name, data_file):
    buf = io.BytesIO()
    write_numpy_to_dense_tensor(buf, pixs, labels)
    buf.seek(0)
    boto3.resource("s3").Bucket(bucket_name).Object(data_file).upload_fileobj(buf)


convert_and_upload(train.drop("label", axis=1).values, train["label"].values, bucket, "sign_mnist_train_rec")
convert_and_upload(test.drop("label", axis=1).values, test["label"].values, bucket, "sign_mnist_test_rec")

# Train.
knn = sagemaker.estimator.Estimator(
    get_image_uri(boto3.Session().region_name, "knn"),
    get_execution_role(),
    train_instance_count=1,
    train_instance_type="ml.m4.xlarge",
    output_path=f"s3://{bucket}/output",
    sagemaker_session=sagemaker.Session(),
)
knn.set_hyperparameters(k=10, predictor_type="classifier", feature_dim=784, sample_size=27455)
in_config_test = s3_input(s3_data=f"s3://{bucket}/sign_mnist_test_rec")
in_config_train = s3_input(s3_data=f"s3://{bucket}/sign_mnist_train_rec")
knn.fit({"train": in_config_train, "test": in_config_test})


# Deploy.
def predictor_from_estimator(knn_estimator, instance_type, endpoint_name=None):
    knn_predictor = knn_estimator.deploy(initial_instance_count=1, instance_type=instance_type, endpoint_name=endpoint_name)
    knn_predictor.content_type = "text/csv"
    return knn_predictor


endpoint_name = f"knn-ml-m5-xlarge-{time.time()}".replace(".", "-")
print("setting up the endpoint..")
predictor = predictor_from_estimator(knn, "ml.m5.xlarge", endpoint_name=endpoint_name)

with tempfile.NamedTemporaryFile(suffix=".csv") as path_to_test_file:
    test.drop("label", axis=1).head(50).to_csv(path_to_test_file.name, header=False, index=False)
    with open(path_to_test_file.name, "rb") as file:
        answer = predictor.predict(file)
print(answer[:120])
predicted = [row["predicted_label"] for row in json.loads(answer)["predictions"]]
right = np.mean(np.array(predicted) == test["label"].values[:50])
print(f"{right:.2f} of {len(predicted)} are right")
assert len(predicted) == 50
assert right > 0.9
predictor.delete_endpoint()
