"""The model registry: model package groups, their versions, model packages, approval."""
