"""BlazingText on tweets: which are technical, which are marketing."""

import csv
import json
import multiprocessing
import os
import re
import tempfile
from multiprocessing import Pool
from random import Random, shuffle

import boto3
import pandas as pd
import sagemaker
from role import get_execution_role

sess = sagemaker.Session()
role = get_execution_role()
print(role)
bucket = sess.default_bucket()
print(bucket)
os.chdir(tempfile.mkdtemp())

# The data: a label and a text per line, made up here.
WORDS = {
    0: ("stack trace", "lambda timeout", "iam policy", "kernel patch", "yaml config", "memory leak", "sdk release", "s3 bucket"),
    1: ("free webinar", "big discount", "join our event", "last seats", "win a voucher", "sign up", "special offer", "keynote"),
}
chance = Random(0)
labeled = [
    (label, f"Everything on {chance.choice(WORDS[label])} and {chance.choice(WORDS[label])}, today with #AWS #Cloud")
    for label in (0, 1)
    for _ in range(2000)
]
chance.shuffle(labeled)
data_key = "twitter-data/hashtags/aws/2019-01-04/labeled.csv/hashtag-labeled-only-tweet.csv"
pd.DataFrame(labeled, columns=["label", "text"]).to_csv("labeled.csv", index=False)
boto3.client("s3").upload_file("labeled.csv", bucket, data_key)

boto3.client("s3").download_file(bucket, data_key, "hashtag-labeled-only-tweet.csv")
tweets = pd.read_csv("hashtag-labeled-only-tweet.csv")
tweets.to_csv("tweets-labeled.csv", sep=",", header=None, index=False)

prefix = "twitter-data/marketing-model"
index_to_label = {"0": "technical", "1": "marketing"}


def word_tokenize(text):
    """What nltk's function of that name does to such texts."""
    return re.findall(r"\w+|[^\w\s]", text)


def transform_instance(row):
    cur_row = []
    label = "__label__" + index_to_label[row[0]]
    cur_row.append(label)
    cur_row.extend(word_tokenize(row[1].lower()))
    return cur_row


def preprocess(input_file, output_file, keep=1):
    all_rows = []
    with open(input_file) as csvinfile:
        csv_reader = csv.reader(csvinfile, delimiter=",")
        for row in csv_reader:
            all_rows.append(row)
    shuffle(all_rows)
    all_rows = all_rows[: int(keep * len(all_rows))]
    pool = Pool(processes=multiprocessing.cpu_count())
    transformed_rows = pool.map(transform_instance, all_rows)
    pool.close()
    pool.join()

    with open(output_file, "w") as csvoutfile:
        csv_writer = csv.writer(csvoutfile, delimiter=" ", lineterminator="\n")
        csv_writer.writerows(transformed_rows)


preprocess("tweets-labeled.csv", "tweets.train", keep=0.8)
preprocess("tweets-labeled.csv", "tweets.validation")

train_channel = prefix + "/train"
validation_channel = prefix + "/validation"
sess.upload_data(path="tweets.train", bucket=bucket, key_prefix=train_channel)
sess.upload_data(path="tweets.validation", bucket=bucket, key_prefix=validation_channel)
s3_train_data = f"s3://{bucket}/{train_channel}"
s3_validation_data = f"s3://{bucket}/{validation_channel}"
s3_output_location = f"s3://{bucket}/{prefix}/output"

# Train.
region_name = boto3.Session().region_name
container = sagemaker.amazon.amazon_estimator.get_image_uri(region_name, "blazingtext", "latest")
print(f"Using SageMaker BlazingText container: {container} ({region_name})")
bt_model = sagemaker.estimator.Estimator(
    container,
    role,
    train_instance_count=1,
    train_instance_type="ml.c4.4xlarge",
    train_volume_size=30,
    train_max_run=360000,
    input_mode="File",
    output_path=s3_output_location,
    sagemaker_session=sess,
)
bt_model.set_hyperparameters(
    mode="supervised",
    epochs=10,
    min_count=2,
    learning_rate=0.05,
    vector_dim=10,
    early_stopping=True,
    patience=4,
    min_epochs=5,
    word_ngrams=2,
)
train_data = sagemaker.session.s3_input(
    s3_train_data, distribution="FullyReplicated", content_type="text/plain", s3_data_type="S3Prefix"
)
validation_data = sagemaker.session.s3_input(
    s3_validation_data, distribution="FullyReplicated", content_type="text/plain", s3_data_type="S3Prefix"
)
data_channels = {"train": train_data, "validation": validation_data}
bt_model.fit(inputs=data_channels, logs=True)

# Deploy and ask.
text_classifier = bt_model.deploy(initial_instance_count=1, instance_type="ml.m4.xlarge")
sentences = ["Everything on memory leak and kernel patch, today with #AWS", "Join our event: free webinar, last seats, keynote"]
tokenized_sentences = [" ".join(word_tokenize(sent.lower())) for sent in sentences]
payload = {"instances": tokenized_sentences}
response = text_classifier.predict(json.dumps(payload), initial_args={"ContentType": "application/json"})
predictions = json.loads(response)
print(json.dumps(predictions, indent=2))
assert [row["label"] for row in predictions] == [["__label__technical"], ["__label__marketing"]]
text_classifier.delete_endpoint()
