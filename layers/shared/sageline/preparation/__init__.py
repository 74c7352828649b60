"""PrepareData: from the dataset to encoded channels."""
