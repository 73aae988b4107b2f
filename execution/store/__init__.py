"""The stores in Redis, and their in-memory counterparts. Nothing else in execution imports
redis."""
