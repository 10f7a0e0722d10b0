//! Why no answer came, in plain words.

use std::error::Error;
use std::io;
use std::time::Duration;

/// How far a request had come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Until status and headers were there.
    Asking,
    /// The body was being read.
    Body,
}

/// What a sentence needs to know.
pub(super) struct Scene<'a> {
    pub(super) host: &'a str,
    pub(super) stage: Stage,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
}

/// The causes below `error`, outermost first.
///
/// The `source` of an `io::Error` that wraps an error is the wrapped one's source: the wrapped
/// one itself must be asked for.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut links = vec![error];
    let mut last = error;
    // Sixteen is more than any real chain has.
    while links.len() < 16 {
        let wrapped = last.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let next = match wrapped {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => last.source(),
        };
        let Some(next) = next else { break };
        links.push(next);
        last = next;
    }
    links
}

/// One sentence on `error`. It names the host and never an address or a header.
pub(super) fn plain(error: &(dyn Error + 'static), scene: &Scene<'_>) -> String {
    use io::ErrorKind as Kind;
    let host = scene.host;
    let links = chain(error);
    let kinds: Vec<Kind> = links
        .iter()
        .filter_map(|link| link.downcast_ref::<io::Error>())
        .map(io::Error::kind)
        .collect();
    let any = |wanted: &[Kind]| kinds.iter().any(|kind| wanted.contains(kind));
    let ours: Vec<&reqwest::Error> =
        links.iter().filter_map(|link| link.downcast_ref::<reqwest::Error>()).collect();
    let connecting = ours.iter().any(|error| error.is_connect());
    // The outermost text of reqwest holds the address; the libraries below know nothing of it.
    let texts: Vec<String> = links
        .iter()
        .filter(|link| !link.is::<reqwest::Error>())
        .map(|link| link.to_string().to_ascii_lowercase())
        .collect();
    let says = |word: &str| texts.iter().any(|text| text.contains(word));
    let detail = texts.last().map(|text| format!(" ({text})")).unwrap_or_default();

    if ours.iter().any(|error| error.is_timeout()) || any(&[Kind::TimedOut]) {
        return match connecting {
            true => format!("no connection to {host} within {}", span(scene.connect_timeout)),
            false => no_answer(scene.timeout),
        };
    }
    if says("dns error") || says("failed to lookup address") {
        return format!("cannot find the host {host}");
    }
    if any(&[Kind::ConnectionRefused]) {
        return format!("the connection was refused by {host}");
    }
    if says("certificate") {
        return format!("the TLS certificate of {host} was not accepted{detail}");
    }
    if any(&[Kind::NetworkUnreachable, Kind::HostUnreachable, Kind::NetworkDown]) {
        return format!("{host} cannot be reached from here");
    }
    if connecting {
        return match any(&[Kind::InvalidData]) || says("tls") || says("handshake") {
            true => format!("no TLS connection with {host}: it does not seem to speak TLS{detail}"),
            false => format!("no connection to {host}{detail}"),
        };
    }
    let reset = any(&[Kind::ConnectionReset, Kind::ConnectionAborted, Kind::BrokenPipe]);
    match scene.stage {
        Stage::Body if reset => "the connection was reset before the body was complete".to_owned(),
        Stage::Body if any(&[Kind::UnexpectedEof]) || says("end of file") => {
            "the connection ended before the body was complete".to_owned()
        }
        Stage::Body => format!("the body cannot be read{detail}"),
        Stage::Asking if reset => "the connection was reset before an answer came".to_owned(),
        Stage::Asking if says("connection closed") || any(&[Kind::UnexpectedEof]) => {
            "the connection was closed before an answer came".to_owned()
        }
        Stage::Asking => format!("{host} does not answer as a web service does{detail}"),
    }
}

/// The sentence for a request that took too long.
pub(super) fn no_answer(timeout: Duration) -> String {
    format!("no answer within {}", span(timeout))
}

fn span(span: Duration) -> String {
    match span.subsec_millis() {
        0 => format!("{} s", span.as_secs()),
        _ => format!("{} ms", span.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use io::ErrorKind as Kind;

    fn said(stage: Stage, error: io::Error) -> String {
        let host = "api.example";
        let (connect_timeout, timeout) = (Duration::from_secs(10), Duration::from_millis(1500));
        plain(&error, &Scene { host, stage, connect_timeout, timeout })
    }

    #[test]
    fn causes_are_found_below_other_errors() {
        let deep = io::Error::new(Kind::InvalidData, "invalid peer certificate: UnknownIssuer");
        assert_eq!(
            said(Stage::Asking, io::Error::other(io::Error::other(deep))),
            "the TLS certificate of api.example was not accepted \
             (invalid peer certificate: unknownissuer)"
        );
        let text = said(Stage::Asking, io::Error::other(io::Error::from(Kind::NetworkUnreachable)));
        assert_eq!(text, "api.example cannot be reached from here");
        let text = said(Stage::Body, io::Error::other(io::Error::from(Kind::TimedOut)));
        assert_eq!(text, "no answer within 1500 ms");
    }

    #[test]
    fn the_stage_is_told() {
        let reset = || io::Error::from(Kind::ConnectionReset);
        assert_eq!(
            said(Stage::Body, reset()),
            "the connection was reset before the body was complete"
        );
        assert_eq!(said(Stage::Asking, reset()), "the connection was reset before an answer came");
    }
}
