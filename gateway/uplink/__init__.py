"""The hub's way to the centre: one MQTT session, receipts and resending, a truthful heartbeat."""
