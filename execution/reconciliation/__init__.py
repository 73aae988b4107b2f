"""Makes records and positions agree with what the exchange says."""
