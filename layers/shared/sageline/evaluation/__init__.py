"""How good a model is: metrics over held-out rows, whether one model is better than another, and the gate. numpy only."""
