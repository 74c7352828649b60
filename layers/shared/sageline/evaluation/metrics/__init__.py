"""What the metrics are computed by, from arrays: formulas of sums, rankings, medians. numpy only."""
