"""The vocabulary. Frozen, typed, no input or output; knows neither MQTT nor SQLite."""
