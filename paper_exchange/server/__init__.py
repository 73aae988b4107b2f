"""HTTP and WebSocket in front of the engine, and the control under /paper/."""
