//! At-the-money volatility, term structure and skew from a chain snapshot (`tomic.md` 8.2).
