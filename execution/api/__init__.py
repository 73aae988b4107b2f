"""Access to exchanges. Nothing outside this folder imports ccxt."""
