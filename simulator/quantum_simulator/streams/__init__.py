"""WebSocket routes /public, /market, /private and what goes out on them."""
