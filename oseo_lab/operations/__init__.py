"""What an order operation means: plain functions (request, context) -> response."""
