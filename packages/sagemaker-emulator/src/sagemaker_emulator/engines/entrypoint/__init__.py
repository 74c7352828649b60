"""What runs in a training job instead of its image's own program: ``ContainerEntrypoint`` with ``ContainerArguments``.

SageMaker's Python SDK 3 starts every script so, by a shell script that it brings along in the channel ``sm_drivers``.
"""
