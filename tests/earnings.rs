//! Earnings on the ledger: announcements, vendors' moves, straddles and event prices as facts, and
//! what is projected from them.

mod ahead;
mod demonstration;
mod facts;
mod quotes;
mod replay;
