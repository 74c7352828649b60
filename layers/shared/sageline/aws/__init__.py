"""What is AWS's own and no run's: clients, settings, errors, tags, images, and what Lambda hands over."""
