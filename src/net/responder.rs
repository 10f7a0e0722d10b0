//! A web service for tests: plays scripted answers on loopback and writes down what it was asked.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One answer.
pub(super) enum Play {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, then the connection is reset.
    Reset(Vec<u8>),
    /// These bytes, then zeros until nobody listens.
    Endless(Vec<u8>),
    /// These bytes, then one more every ten milliseconds.
    Drip(Vec<u8>),
    /// These bytes, then nothing.
    Hang(Vec<u8>),
}

/// An answer with a body; `head` is `200 OK` and further header lines, each after `\r\n`.
pub(super) fn whole(head: &str, body: impl AsRef<[u8]>) -> Play {
    let body = body.as_ref();
    let length = body.len();
    let mut bytes =
        format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
            .into_bytes();
    bytes.extend_from_slice(body);
    Play::Bytes(bytes)
}

struct Shared {
    script: Mutex<VecDeque<Play>>,
    asked: Mutex<Vec<String>>,
    sent: Mutex<u64>,
    over: AtomicBool,
}

/// A service that listens until it is dropped.
pub(super) struct Responder {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Responder {
    pub(super) fn new(script: impl IntoIterator<Item = Play>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(script.into_iter().collect()),
            asked: Mutex::new(Vec::new()),
            sent: Mutex::new(0),
            over: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if theirs.over.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&theirs);
                std::thread::spawn(move || shared.serve(stream.unwrap()));
            }
        });
        Self { address, shared }
    }

    /// `http://127.0.0.1:port`.
    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came: request lines and headers, one text each.
    pub(super) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// The targets that were asked for.
    pub(super) fn targets(&self) -> Vec<String> {
        let target = |text: &String| text.split(' ').nth(1).unwrap_or_default().to_owned();
        self.asked().iter().map(target).collect()
    }

    /// How many bytes of endless answers were written.
    pub(super) fn sent(&self) -> u64 {
        *self.shared.sent.lock().unwrap()
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let reset = matches!(self.script.lock().unwrap().front(), Some(Play::Reset(_)));
        let mut seen = vec![0; 64 * 1024];
        let mut length = 0;
        while !seen[..length].windows(4).any(|end| end == b"\r\n\r\n") {
            // A connection that is closed with bytes unread is reset; so the bytes are only
            // looked at when it is to be.
            let read = match reset {
                true => stream.peek(&mut seen).map(|all| all - length),
                false => stream.read(&mut seen[length..]),
            };
            match read {
                // Not HTTP, or gone.
                Ok(0) if !reset => break,
                Err(_) => break,
                Ok(read) => length += read,
            }
            if !seen[0].is_ascii_uppercase() {
                break;
            }
        }
        self.asked.lock().unwrap().push(String::from_utf8_lossy(&seen[..length]).into_owned());
        let play = self.script.lock().unwrap().pop_front();
        let over = || self.over.load(Ordering::SeqCst);
        match play.unwrap_or_else(|| whole("599 The script is over", "")) {
            Play::Bytes(bytes) => drop(stream.write_all(&bytes)),
            Play::Reset(bytes) => {
                stream.write_all(&bytes).unwrap();
                // Time for the other side to read what came.
                std::thread::sleep(Duration::from_millis(100));
            }
            Play::Endless(bytes) => {
                stream.write_all(&bytes).unwrap();
                let zeros = vec![b'0'; 64 * 1024];
                while !over() && stream.write_all(&zeros).is_ok() {
                    *self.sent.lock().unwrap() += zeros.len() as u64;
                }
            }
            Play::Drip(bytes) => {
                stream.write_all(&bytes).unwrap();
                while !over() && stream.write_all(b"0").is_ok() {
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            Play::Hang(bytes) => {
                stream.write_all(&bytes).unwrap();
                while !over() {
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        }
    }
}
