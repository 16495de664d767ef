"""The measure of docs/detection.md: false alarms and delays, with the product's own engine."""
