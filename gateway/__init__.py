"""Ansim Gateway: the hub that notices when somebody who lives alone has gone quiet."""

__version__ = "0.1.0"
