//! A small web service of our own: answers from a function, and writes down what it was asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One answer.
pub enum Play {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, then a reset.
    Reset(Vec<u8>),
    /// These bytes, then blanks until nobody listens.
    Endless(Vec<u8>),
    /// Nothing, until the service is dropped.
    Hang,
}

/// A whole answer; `head` is `200 OK` and further header lines, each after `\r\n`.
pub fn whole(head: &str, body: impl AsRef<[u8]>) -> Play {
    let body = body.as_ref();
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    Play::Bytes([head.as_bytes(), body].concat())
}

/// 200 with a JSON body.
pub fn ok(body: impl AsRef<[u8]>) -> Play {
    whole("200 OK\r\nContent-Type: application/json", body)
}

type Answer = dyn Fn(&str, usize) -> Play + Send + Sync;

struct Shared {
    answer: Box<Answer>,
    asked: Mutex<Vec<String>>,
    sent: AtomicU64,
    over: AtomicBool,
}

/// A service that listens until it is dropped.
pub struct Responder {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Responder {
    /// `answer` is given the target, and how many requests came before.
    pub fn new(answer: impl Fn(&str, usize) -> Play + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            asked: Mutex::default(),
            sent: AtomicU64::default(),
            over: AtomicBool::default(),
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

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came: request lines and headers, one text each.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// The targets that were asked for.
    pub fn targets(&self) -> Vec<String> {
        let target = |text: &String| text.split(' ').nth(1).unwrap_or_default().to_owned();
        self.asked().iter().map(target).collect()
    }

    /// Begins to count from 0 again.
    pub fn forget(&self) {
        self.shared.asked.lock().unwrap().clear();
    }

    /// How many bytes of endless answers were taken.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
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
        let (mut seen, mut byte) = (Vec::new(), [0]);
        // The last byte of the head stays unread: closing a connection with bytes unread resets it.
        while !seen.ends_with(b"\r\n\r") {
            match stream.read(&mut byte) {
                Ok(1) => seen.push(byte[0]),
                _ => return,
            }
            if !seen[0].is_ascii_uppercase() {
                return; // not HTTP
            }
        }
        let head = String::from_utf8_lossy(&seen).into_owned();
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(head);
            asked.len() - 1
        };
        let play = (self.answer)(&target, number);
        if !matches!(play, Play::Reset(_)) {
            let _ = stream.read(&mut byte);
        }
        let over = || self.over.load(Ordering::SeqCst);
        match play {
            Play::Bytes(bytes) => drop(stream.write_all(&bytes)),
            Play::Reset(bytes) => {
                let _ = stream.write_all(&bytes);
                // Time for the other side to read what came.
                std::thread::sleep(Duration::from_millis(50));
            }
            Play::Endless(bytes) => {
                let _ = stream.write_all(&bytes);
                let blanks = vec![b' '; 64 * 1024];
                while !over() && stream.write_all(&blanks).is_ok() {
                    self.sent.fetch_add(blanks.len() as u64, Ordering::SeqCst);
                }
            }
            Play::Hang => {
                while !over() {
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        }
    }
}
