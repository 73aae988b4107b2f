"""The door to exchanges. Nothing outside this folder imports ccxt."""
