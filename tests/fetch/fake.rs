//! `../shared/tools/polygon_fake.py` as a child process.

use super::KEY;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// The fake; it ends when this is dropped.
pub struct Fake {
    child: Child,
    address: String,
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Fake {
    /// Starts one with these flags; `None`, said loudly, where it or Python is absent.
    pub fn start(flags: &[&str]) -> Option<Self> {
        let script = crate::support::shared("tools/polygon_fake.py")?;
        let mut command = Command::new("python3");
        command.arg(script).args(["--port", "0", "--key", KEY]).args(flags);
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "SKIPPED: python3: {error}");
                return None;
            }
        };
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().split("http://").nth(1);
        let address = address.unwrap_or_else(|| panic!("the fake said {line:?}")).to_owned();
        Some(Self { child, address })
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes settings.
    pub fn control(&self, settings: &str) {
        let answer = http(&self.address, "POST", "/__control", settings);
        assert!(answer.get("error").is_none(), "{settings}: {answer}");
    }

    /// Forgets what it counted.
    pub fn reset(&self) {
        http(&self.address, "POST", "/__reset", "");
    }

    pub fn stats(&self) -> Value {
        http(&self.address, "GET", "/__stats", "")
    }

    /// Every request, oldest first.
    pub fn log(&self) -> Vec<Value> {
        http(&self.address, "GET", "/__log", "").as_array().unwrap().clone()
    }

    pub fn requests(&self) -> u64 {
        self.stats()["requests"].as_u64().unwrap()
    }

    /// All items of an answer, over all of its pages.
    pub fn items(&self, target: &str) -> Vec<Value> {
        let (mut items, mut target) = (Vec::new(), target.to_owned());
        loop {
            let page = http(&self.address, "GET", &target, "");
            items.extend(page["results"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next_url"].as_str() else { return items };
            target = next.split_once(&self.address).unwrap().1.to_owned();
        }
    }
}

/// One request on a connection of its own; the answer is JSON.
fn http(address: &str, method: &str, target: &str, body: &str) -> Value {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{method} {target}: {error}"))
}
