"""What runs a customer's own code: the training toolkit of the framework images, and their model servers."""
