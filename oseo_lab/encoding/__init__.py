"""Messages as bytes, both ways: pure functions between the model and XML or JSON."""
