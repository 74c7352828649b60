"""Reading images: a ZIP archive with a folder for each class."""
