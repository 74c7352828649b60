"""What the pages of an endpoint show, and how they get it; nothing here knows of requests or templates."""
