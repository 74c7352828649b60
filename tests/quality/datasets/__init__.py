"""The twenty-five datasets of the measurement: real, labelled, and shipped by public packages."""
