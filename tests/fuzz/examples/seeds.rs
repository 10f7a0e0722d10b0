//! Writes what the fuzzer begins with: `cargo run --example seeds -- CORPUS`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let corpus = std::env::args().nth(1).ok_or("usage: seeds CORPUS")?;
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    volledger_fuzz::seeds::write(corpus.as_ref(), &root)
}
