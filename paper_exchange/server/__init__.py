"""HTTP and WebSocket in front of the engine, and the control calls under /paper/."""
