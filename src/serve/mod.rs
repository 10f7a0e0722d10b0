//! The page: what the command line shows, for whoever would rather look than type.
//!
//! A server on this machine, for its user. A request becomes an `ask::Ask`, a function of
//! `pages` or `acts` answers it with the same reports as a command, as a page or as the same
//! JSON. Ledger work stands on threads of its own; the async threads only read and write sockets.

mod acts;
mod ask;
mod desk;
mod guard;
mod jobs;
mod kept;
mod listen;
mod moved;
mod openapi;
mod pages;
mod patient;
mod routes;
mod token;
mod trouble;
mod upload;
mod way;
mod words;
mod work;

pub use desk::Hand;
pub use guard::host;
pub use trouble::Said;
pub use words::Lang;

use crate::app::earnings::TierSet;
use crate::app::report::VerifyReport;
use crate::app::{AppError, OpenOptions};
use desk::Desk;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use token::Token;
use tokio::sync::{Semaphore, watch};

/// Requests that work with the ledger at once; further ones wait.
const WORK: usize = 6;

/// Pages that hear of changes at once.
const LISTENERS: usize = 64;

/// How to serve.
#[derive(Clone, Debug)]
pub struct Options {
    /// The ledger's directory.
    pub directory: PathBuf,
    /// How it is opened; it is lent to other processes.
    pub open: OpenOptions,
    /// Who acts, and when.
    pub hand: Hand,
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Names, besides those of this machine's loopback, by which the server may be called.
    pub hosts: Vec<String>,
    /// Whether pages can stage and decide.
    pub allow_decisions: bool,
    /// The language of the pages, unless a browser asked for another.
    pub lang: Lang,
    /// The tiers of the settings, by which announcements are judged where a page names no other set.
    pub tiers: TierSet,
    /// How an error is told: code, causes, hint.
    pub said: fn(AppError) -> Said,
}

/// What all requests share.
#[derive(Debug)]
struct Site {
    options: Options,
    desk: Arc<Desk>,
    token: Token,
    work: Semaphore,
    stopping: watch::Sender<bool>,
    /// Places for pages that hear of changes.
    listeners: Arc<Semaphore>,
    /// What was worked out before.
    kept: kept::Kept,
    /// Long work.
    jobs: jobs::Jobs,
    /// The last verification that this server made.
    verified: Mutex<Option<Verified>>,
    /// The last status, for the log root that it is of: a look at every record.
    status: Mutex<Option<Arc<crate::app::report::Status>>>,
}

/// What a verification of this server's found, in short.
#[derive(Clone, Debug)]
struct Verified {
    at_ms: i64,
    position: u64,
    deep: bool,
    ok: bool,
}

impl Site {
    /// Keeps what a verification found, for the first page.
    fn keep_verified(&self, report: &VerifyReport) {
        let VerifyReport { position, deep, ok, .. } = *report;
        let verified = Verified { at_ms: self.options.hand.clock.now_ms(), position, deep, ok };
        *self.verified.lock().unwrap_or_else(PoisonError::into_inner) = Some(verified);
    }

    /// The last verification, if this server made one.
    fn last_verified(&self) -> Option<Verified> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A server that listens but does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    site: Arc<Site>,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// An address that cannot be used.
    pub fn bind(options: Options) -> std::io::Result<Self> {
        let listener = TcpListener::bind(options.address)?;
        let address = listener.local_addr()?;
        let desk = Desk::new(options.directory.clone(), options.open.clone(), options.hand.clone());
        let site = Arc::new(Site {
            options: Options { address, ..options },
            desk: Arc::new(desk),
            token: Token::new()?,
            work: Semaphore::new(WORK),
            stopping: watch::Sender::new(false),
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            kept: kept::Kept::default(),
            jobs: jobs::Jobs::default(),
            verified: Mutex::default(),
            status: Mutex::default(),
        });
        Ok(Self { listener, site })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.site.options.address
    }

    /// Where a browser on this machine finds it: a server that listens on all addresses goes by none of them.
    pub fn place(&self) -> SocketAddr {
        let address = self.address();
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, address.port())
    }

    /// Answers until SIGINT or SIGTERM; requests that are under way then end first.
    ///
    /// # Errors
    /// Threads or a listener that cannot be set up.
    pub fn run(self) -> std::io::Result<()> {
        listen::run(self.listener, self.site)
    }
}
