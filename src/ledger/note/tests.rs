//! Notes against the examples of the specification, every turned bit, and another implementation.

use super::*;
use secrecy::{ExposeSecret, SecretString};

const TEXT: &str = "example.com/log\n1\nABCD\n";

/// A key and note that Go's documentation of `sumdb/note` publishes.
const GO_SKEY: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n";
const GO_SIGNATURE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn key(name: &str) -> SigningKey {
    SigningKey::generate(Some(name)).unwrap().0
}

#[test]
fn the_published_key_gives_the_published_signature() {
    let key = SigningKey::parse(&SecretString::from(GO_SKEY)).unwrap();
    assert_eq!(key.verifier().to_string(), GO_VKEY);
    let note = Note::sign(GO_TEXT, &key).unwrap();
    assert_eq!(note.to_string(), format!("{GO_TEXT}\n{GO_SIGNATURE}"));
    assert_eq!(note.verify(&VerifierKey::parse(GO_VKEY).unwrap()).unwrap(), GO_TEXT);
}

#[test]
fn keys_come_back_and_never_show() {
    let (key, text) = SigningKey::generate(None).unwrap();
    let again = SigningKey::parse(&text).unwrap();
    assert_eq!(again.verifier(), key.verifier());
    let verifier = key.verifier().to_string();
    assert!(verifier.starts_with("volledger-"), "{verifier}");
    assert_eq!(&VerifierKey::parse(&verifier).unwrap(), key.verifier());
    // The fifth part is in base64, which has plus signs of its own: cut from the left.
    let secret = text.expose_secret().splitn(5, '+').nth(4).unwrap();
    assert!(secret.len() > 40, "the secret is whole");
    for shown in [format!("{key:?}"), format!("{text:?}"), verifier] {
        assert!(!shown.contains(secret), "{shown}");
    }
    for name in ["", "a b", "a+b", "a\nb", "a\u{2003}b", "a\u{7}", &"x".repeat(201)] {
        assert!(SigningKey::generate(Some(name)).is_err(), "{name:?}");
    }
    let other = SigningKey::generate(None).unwrap().0;
    assert_ne!(other.verifier(), key.verifier());
}

#[test]
fn every_turned_bit_of_a_key_is_refused() {
    let (key, secret) = SigningKey::generate(Some("example.com/log")).unwrap();
    let public = key.verifier().to_string();
    for (text, private) in [(public.as_str(), false), (secret.expose_secret(), true)] {
        for at in 0..text.len() * 8 {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at / 8] ^= 1 << (at % 8);
            let Ok(turned) = String::from_utf8(bytes) else { continue };
            match private {
                false => assert!(VerifierKey::parse(&turned).is_err(), "{turned}"),
                true => {
                    let refused = SigningKey::parse(&SecretString::from(turned)).unwrap_err();
                    assert_eq!(refused.to_string(), "this is no signing key of ed25519");
                }
            }
        }
    }
}

#[test]
fn every_turned_bit_of_a_note_is_refused() {
    let key = key("example.com/log");
    let note = Note::sign(TEXT, &key).unwrap().to_string();
    assert!(Note::parse(&note).unwrap().verify(key.verifier()).is_ok());
    let mut refused = 0;
    for at in 0..note.len() * 8 {
        let mut bytes = note.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        let Ok(turned) = String::from_utf8(bytes) else { continue };
        let believed = Note::parse(&turned).and_then(|n| n.verify(key.verifier()).map(drop));
        assert!(believed.is_err(), "bit {at}: {turned}");
        refused += 1;
    }
    assert!(refused > 900, "{refused}");
    for cut in 0..note.len() {
        if let Some(cut) = note.get(..cut) {
            assert!(Note::parse(cut).is_err(), "{cut}");
        }
    }
}

#[test]
fn other_signatures_are_passed_over_and_a_wrong_one_of_ours_is_not() {
    let (ours, theirs) = (key("example.com/log"), key("witness.example/w"));
    let (mut note, other) = (Note::sign(TEXT, &ours).unwrap(), Note::sign(TEXT, &theirs).unwrap());
    note.signatures.extend(other.signatures);
    let both = Note::parse(&note.to_string()).unwrap();
    assert_eq!(both.signatures.len(), 2);
    assert!(both.verify(ours.verifier()).is_ok() && both.verify(theirs.verifier()).is_ok());
    let namesake = key("example.com/log");
    assert!(matches!(both.verify(namesake.verifier()), Err(ProofError::Fails(_))));
    let mut again = both.signatures[0].clone();
    again.bytes[9] ^= 1;
    note.signatures.push(again);
    assert!(matches!(note.verify(ours.verifier()), Err(ProofError::Fails(_))));
    assert!(Note::sign("no line end", &ours).is_err());
    assert!(Note::sign("a\tb\n", &ours).is_err());
}

#[test]
fn another_implementation_accepts_what_we_sign_and_we_what_it_signs() {
    use signed_note::{Signer as _, StandardSigner, StandardVerifier, VerifierList};
    let (key, secret) = SigningKey::generate(Some("example.com/log")).unwrap();
    let ours = Note::sign(TEXT, &key).unwrap().to_string();
    let theirs = signed_note::Note::from_bytes(ours.as_bytes()).unwrap();
    let verifier = StandardVerifier::new(&key.verifier().to_string()).unwrap();
    let list = VerifierList::new(vec![Box::new(verifier)]);
    let (known, unknown) = theirs.verify(&list).unwrap();
    assert_eq!((known.len(), unknown.len()), (1, 0));
    assert_eq!(theirs.text(), TEXT.as_bytes());

    let signer = StandardSigner::new(secret.expose_secret()).unwrap();
    assert_eq!(signer.name(), "example.com/log");
    let mut signed = signed_note::Note::new(TEXT.as_bytes(), &[]).unwrap();
    signed.add_sigs(&[&signer]).unwrap();
    assert_eq!(String::from_utf8(signed.to_bytes()).unwrap(), ours);
    let mut wrong = ours.into_bytes();
    wrong[0] ^= 1;
    assert!(signed_note::Note::from_bytes(&wrong).unwrap().verify(&list).is_err());
}
