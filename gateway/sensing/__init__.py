"""Where observations come from: radio, wires, and recorded homes."""
