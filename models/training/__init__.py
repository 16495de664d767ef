"""Training of the hazard network: the only place that knows TensorFlow."""
