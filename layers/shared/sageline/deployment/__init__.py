"""What an endpoint serves: deploying, shifting traffic, promoting, taking back, deleting."""
