"""What SageMaker costs: on-demand list prices of us-east-1 in USD, without tax, discounts, Savings Plans or the free tier.

They were not read from AWS by this project. Each figure is as public documents give it that quote one of these two of AWS's own:

- ``_PRICE_LIST``: the price list file that AWS publishes for programs,
  https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonSageMaker/current/us-east-1/index.json, in the state of
  July to October 2026 (the m5.4xlarge, c5, r5, g4dn and first g5 rows: its publication of 2026-09-25T00:03:13Z).
- ``_PRICING_PAGE``: https://aws.amazon.com/sagemaker/pricing/, as several public tables of 2024 to 2026 repeat it alike.

A job's or an endpoint's price is that of its instance type, whatever it is used for, except where a row says otherwise: the price
list has training, processing, batch transform and hosting in separate items, at the same price wherever documents quote several.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Use: TypeAlias = Literal["training", "transform", "hosting"]
"""What an instance is paid for."""

USES: tuple[Use, ...] = ("training", "transform", "hosting")

DATE = "2026-09-25"
REGION = "us-east-1"

_PRICE_LIST: dict[str, float] = {
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.m5.4xlarge": 0.922,
    "ml.c5.4xlarge": 0.816,
    "ml.c5.9xlarge": 1.836,
    "ml.r5.4xlarge": 1.21,
    "ml.r5.8xlarge": 2.419,
    "ml.g4dn.xlarge": 0.7364,
    "ml.g5.xlarge": 1.4084,
    "ml.g5.2xlarge": 1.515,
    "ml.g5.12xlarge": 7.09,
    "ml.g6.2xlarge": 1.222,
    "ml.g6.4xlarge": 1.654,
    "ml.g6.12xlarge": 5.752,
    "ml.g6e.2xlarge": 2.8026,
    "ml.g6e.12xlarge": 13.12,
}

_PRICING_PAGE: dict[str, float] = {
    "ml.m5.12xlarge": 2.765,
    "ml.m5.24xlarge": 5.53,
    "ml.c5.large": 0.102,
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
    "ml.c5.18xlarge": 3.672,
    "ml.r5.large": 0.151,
    "ml.r5.xlarge": 0.302,
    "ml.r5.2xlarge": 0.605,
    "ml.g4dn.2xlarge": 0.94,
    "ml.g4dn.4xlarge": 1.505,
    "ml.g4dn.8xlarge": 2.72,
    "ml.g4dn.12xlarge": 4.89,
    "ml.g4dn.16xlarge": 5.44,
    "ml.g5.4xlarge": 2.03,
    "ml.g5.16xlarge": 5.12,
    "ml.g5.24xlarge": 10.18,
    "ml.g5.48xlarge": 20.36,
    "ml.g6.16xlarge": 4.246,
    "ml.g6.24xlarge": 8.344,
    "ml.g6.48xlarge": 16.688,
    "ml.p3.2xlarge": 3.825,
    "ml.p3.8xlarge": 14.688,
    "ml.p3.16xlarge": 28.152,
}

_OF_ONE_USE: dict[str, dict[Use, float]] = {
    # From the price list; what hosting costs was not found.
    "ml.p4d.24xlarge": {"training": 25.251},
    "ml.p5.48xlarge": {"training": 63.296},
    # From the pricing page (ml.t3.medium: the price list too). SageMaker hosts on t2 and trains on t3.
    "ml.t2.medium": {"hosting": 0.056},
    "ml.t3.medium": {"training": 0.05},
    "ml.t3.large": {"training": 0.1},
    "ml.t3.xlarge": {"training": 0.2},
    "ml.t3.2xlarge": {"training": 0.399},
}

INSTANCES: Mapping[str, Mapping[Use, float]] = {
    **{name: dict.fromkeys(USES, price) for name, price in (_PRICE_LIST | _PRICING_PAGE).items()},
    **_OF_ONE_USE,
}
"""USD per instance and hour."""

SERVERLESS_GB_SECOND = 0.00002
"""USD per second of computing and GB of memory: from the pricing page, as public documents repeat it. Idle is free."""

SERVERLESS_PROVISIONED_GB_SECOND: float | None = None
"""USD per second and GB of memory that is kept warm. No public document was found that quotes AWS's figure."""

DATA_GB = 0.016
"""USD per GB into or out of a serverless endpoint: from the pricing page, as public documents repeat it."""
