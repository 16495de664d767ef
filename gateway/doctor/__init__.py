"""One check a file: names the fault and the part to change. Grows with the technician's work."""
