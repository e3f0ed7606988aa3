"""The way in: start, control and rehearse automations."""
