//! Choice of expiries: third Fridays (`tomic.md` 8.1, 11.3 of the pipeline).
