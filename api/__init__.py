"""HTTP: what providers report, what people and programs ask, and how the system stands."""
