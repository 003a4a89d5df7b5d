"""The gateway: reads sensors, aggregates on the device, survives anything, publishes over MQTT. Knows no cloud."""
