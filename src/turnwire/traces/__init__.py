"""What OpenTelemetry is told: a span for each session."""
