"""What SageMaker's first-party algorithms (linear learner, k-NN) have in common: failures, channels, requests, answers."""
