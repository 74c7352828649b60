"""URIs of SageMaker's own container images, by algorithm and region.

Registry accounts and versions: the tables of the SageMaker Python SDK (``sagemaker/image_uri_config/*.json``), version
2.257.7; the tag of XGBoost 3.2, which is newer, is that of the SDK's version 3.20. The regions in China are left out: they have
neither serverless inference nor the tracing that the template asks for.
"""

from __future__ import annotations

from dataclasses import dataclass

from sageline.errors import SettingsError

XGBOOST_TAG = "3.2-0"

_XGBOOST_ACCOUNTS = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "341280168497",
    "ca-west-1": "190319476487",
    "eu-central-1": "492215442770",
    "eu-central-2": "680994064768",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-south-2": "104374241257",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "il-central-1": "898809789911",
    "me-central-1": "272398656194",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-gov-east-1": "237065988967",
    "us-gov-west-1": "414596584902",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}

_FIRST_PARTY_ACCOUNTS = _XGBOOST_ACCOUNTS | {
    "af-south-1": "455444449433",
    "ap-east-1": "286214385809",
    "ap-northeast-1": "351501993468",
    "ap-northeast-2": "835164637446",
    "ap-south-1": "991648021394",
    "ap-southeast-1": "475088953585",
    "ap-southeast-2": "712309505854",
    "ca-central-1": "469771592824",
    "eu-central-1": "664544806723",
    "eu-north-1": "669576153137",
    "eu-south-1": "257386234256",
    "eu-west-1": "438346466558",
    "eu-west-2": "644912444149",
    "eu-west-3": "749696950732",
    "me-south-1": "249704162688",
    "sa-east-1": "855470959533",
    "us-east-1": "382416733822",
    "us-east-2": "404615174143",
    "us-gov-west-1": "226302683700",
    "us-west-1": "632365934929",
    "us-west-2": "174872318107",
}
"""SageMaker's own algorithms before XGBoost; regions opened since have one account for all."""

_BLAZINGTEXT_ACCOUNTS = _FIRST_PARTY_ACCOUNTS | {
    "ap-northeast-1": "501404015308",
    "ap-northeast-2": "306986355934",
    "ap-southeast-2": "544295431143",
    "eu-central-1": "813361260812",
    "eu-west-1": "685385470294",
    "us-east-1": "811284229777",
    "us-east-2": "825641698319",
    "us-west-2": "433757028032",
}

_DEEP_LEARNING_REGIONS = (
    *("ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1"),
    *(
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    ),
)
_DEEP_LEARNING_ACCOUNTS = dict.fromkeys(_DEEP_LEARNING_REGIONS, "763104351884") | {
    "af-south-1": "626614931356",
    "ap-east-1": "871362719292",
    "ap-east-2": "975050140332",
    "ap-northeast-3": "364406365360",
    "ap-south-2": "772153158452",
    "ap-southeast-3": "907027046896",
    "ap-southeast-4": "457447274322",
    "ap-southeast-5": "550225433462",
    "ap-southeast-6": "633930458069",
    "ap-southeast-7": "590183813437",
    "ca-west-1": "204538143572",
    "eu-central-2": "380420809688",
    "eu-south-1": "692866216735",
    "eu-south-2": "503227376785",
    "il-central-1": "780543022126",
    "me-central-1": "914824155844",
    "me-south-1": "217643126080",
    "mx-central-1": "637423239942",
    "us-gov-east-1": "446045086412",
    "us-gov-west-1": "442386744353",
}


@dataclass(frozen=True)
class _Image:
    """Repositories with tags, of a training and of a serving container, and the account that keeps them in each region."""

    training: str
    serving: str
    accounts: dict[str, str]


_IMAGES = {
    "xgboost": _Image(f"sagemaker-xgboost:{XGBOOST_TAG}", f"sagemaker-xgboost:{XGBOOST_TAG}", _XGBOOST_ACCOUNTS),
    "linear-learner": _Image("linear-learner:1", "linear-learner:1", _FIRST_PARTY_ACCOUNTS),
    "knn": _Image("knn:1", "knn:1", _FIRST_PARTY_ACCOUNTS),
    "blazingtext": _Image("blazingtext:1", "blazingtext:1", _BLAZINGTEXT_ACCOUNTS),
    "tensorflow": _Image("tensorflow-training:2.19.0-cpu-py312", "tensorflow-inference:2.19.0-cpu", _DEEP_LEARNING_ACCOUNTS),
    "scikit-learn": _Image("sagemaker-scikit-learn:1.4-2-cpu-py3", "sagemaker-scikit-learn:1.4-2-cpu-py3", _XGBOOST_ACCOUNTS),
    # The newest version that both trains and serves: what a newer PyTorch saves, an older one may not load.
    "pytorch": _Image("pytorch-training:2.6.0-cpu-py312", "pytorch-inference:2.6.0-cpu-py312", _DEEP_LEARNING_ACCOUNTS),
}


def training_image(algorithm: str, framework: str | None, region: str) -> str:
    """URI of the image (CPU) that trains an algorithm of a spec.

    Args:
        algorithm: as in a spec: ``xgboost``, ``linear-learner``, ``knn``, ``blazingtext``, ``tensorflow``, ``script``.
        framework: for ``script``: ``tensorflow``, ``scikit-learn`` or ``pytorch``.

    Raises:
        SettingsError: no registry is known for the region.
    """
    name = _image_name(algorithm, framework)
    return _uri(name, _IMAGES[name].training, region)


def serving_image(algorithm: str, framework: str | None, region: str) -> str:
    """Like :func:`training_image`, for the image that serves what was trained."""
    name = _image_name(algorithm, framework)
    return _uri(name, _IMAGES[name].serving, region)


def _image_name(algorithm: str, framework: str | None) -> str:
    name = framework if algorithm == "script" else algorithm
    if name not in _IMAGES:
        raise SettingsError(f"No image is known for the algorithm {algorithm!r} with the framework {framework!r}.")
    return name


def _uri(name: str, image: str, region: str) -> str:
    accounts = _IMAGES[name].accounts
    if region not in accounts:
        there = sorted(other for other, image in _IMAGES.items() if region in image.accounts)
        others = f"those of {', '.join(there)} are; " if there else ""
        known = ", ".join(sorted(accounts))
        raise SettingsError(f"No image of {name} is known for region {region!r}; {others}deploy the stack to one of: {known}.")
    return f"{accounts[region]}.dkr.ecr.{region}.amazonaws.com/{image}"
