"""Predictions for a whole file: encoding its rows, and writing one prediction for each."""
