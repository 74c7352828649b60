"""Scripts for the TensorFlow container: ``dense/`` and ``cnn/``, each packed together with ``shared/``."""
