use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    Key, XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use rand::RngCore;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::MasterKey;
use crate::{Error, Result};

const NONCE: usize = 24;

/// Seals secrets for storage and opens them: `v1.<key id>.<base64url of nonce and ciphertext>`.
///
/// A sealed secret is bound to the row it belongs to: copied to another row it does not open.
///
/// ```
/// use secrecy::{ExposeSecret, SecretString};
/// use stayzr_core::{crypto::{MasterKey, TokenCodec}, uuid::Uuid};
///
/// let codec = TokenCodec::new(MasterKey::generate(), []);
/// let row = Uuid::now_v7();
/// let sealed = codec.seal(&SecretString::from("access token"), row);
/// assert_eq!(codec.open(&sealed, row).unwrap().expose_secret(), "access token");
/// assert!(codec.open(&sealed, Uuid::now_v7()).is_err());
/// ```
#[derive(Debug, Clone)]
pub struct TokenCodec {
    current: MasterKey,
    previous: Vec<MasterKey>,
}

impl TokenCodec {
    /// A codec that seals with `current` and also opens what `previous` keys sealed.
    pub fn new(current: MasterKey, previous: impl IntoIterator<Item = MasterKey>) -> Self {
        Self {
            current,
            previous: previous.into_iter().collect(),
        }
    }

    /// Seals a secret for the row with this id.
    pub fn seal(&self, secret: &SecretString, row: impl Into<Uuid>) -> String {
        let mut nonce = [0_u8; NONCE];
        rand::rng().fill_bytes(&mut nonce);
        let head = format!("v1.{}", self.current.id());
        let ciphertext = cipher(&self.current)
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: secret.expose_secret().as_bytes(),
                    aad: &associated(&head, row.into()),
                },
            )
            .expect("encryption fails only for texts of 256 GiB");
        let mut body = nonce.to_vec();
        body.extend_from_slice(&ciphertext);
        format!("{head}.{}", URL_SAFE_NO_PAD.encode(body))
    }

    /// Opens a secret of the row with this id. [`crate::ErrorKind::Corrupt`] if it was sealed for
    /// another row, changed, is no sealed secret, or its key is not among ours.
    pub fn open(&self, sealed: &str, row: impl Into<Uuid>) -> Result<SecretString> {
        let (head, id, body) = parts(sealed)?;
        let key = self.keys().find(|key| key.id() == id).ok_or_else(|| {
            corrupt("sealed with a master key that is not configured").with("key_id", id)
        })?;
        let body = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| corrupt("a sealed secret is not base64"))?;
        let (nonce, ciphertext) = body
            .split_first_chunk::<NONCE>()
            .ok_or_else(|| corrupt("a sealed secret is too short"))?;
        let opened = cipher(key)
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: ciphertext,
                    aad: &associated(head, row.into()),
                },
            )
            .map_err(|_| corrupt("a sealed secret was changed or belongs to another row"))?;
        String::from_utf8(opened)
            .map(SecretString::from)
            .map_err(|_| corrupt("a sealed secret is not text"))
    }

    /// Whether a sealed secret should be sealed again because its key is not the current one.
    pub fn is_stale(&self, sealed: &str) -> bool {
        parts(sealed).is_ok_and(|(_, id, _)| id != self.current.id())
    }

    fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

fn cipher(key: &MasterKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key.bytes()))
}

/// What the ciphertext is bound to: its version, its key and its row.
fn associated(head: &str, row: Uuid) -> Vec<u8> {
    let mut data = head.as_bytes().to_vec();
    data.push(b'.');
    data.extend_from_slice(row.as_bytes());
    data
}

/// The head, the key's id and the body.
fn parts(sealed: &str) -> Result<(&str, &str, &str)> {
    let (head, body) = sealed
        .rsplit_once('.')
        .ok_or_else(|| corrupt("not a sealed secret"))?;
    let id = head
        .strip_prefix("v1.")
        .ok_or_else(|| corrupt("not a sealed secret of version 1"))?;
    Ok((head, id, body))
}

fn corrupt(message: &'static str) -> Error {
    Error::corrupt("token_codec.open", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    const SECRET: &str = "C66EF7B239D24632943D115EDE9CB810-EA00F8FD8294692C940F6B5A8F9453D";

    fn secret() -> SecretString {
        SecretString::from(SECRET)
    }

    #[test]
    fn invariant_p_a_sealed_secret_opens_only_for_its_row_and_key() {
        let codec = TokenCodec::new(MasterKey::generate(), []);
        let row = Uuid::now_v7();
        let sealed = codec.seal(&secret(), row);
        assert_eq!(codec.open(&sealed, row).unwrap().expose_secret(), SECRET);
        assert!(!sealed.contains(SECRET));
        assert_ne!(sealed, codec.seal(&secret(), row), "a nonce is used once");
        let other = TokenCodec::new(MasterKey::generate(), []);
        for result in [
            codec.open(&sealed, Uuid::now_v7()),
            other.open(&sealed, row),
            codec.open("", row),
            codec.open("v1.abc", row),
            codec.open("v2.abc.def", row),
            codec.open(&sealed[..sealed.len() - 2], row),
        ] {
            let error = result.map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(!format!("{error:?}").contains(SECRET));
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let codec = TokenCodec::new(MasterKey::generate(), []);
        let row = Uuid::now_v7();
        let sealed = codec.seal(&secret(), row);
        for index in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(codec.open(&changed, row).is_err(), "byte {index}");
        }
    }

    #[test]
    fn an_old_key_still_opens_and_is_stale() {
        let (old, new) = (MasterKey::generate(), MasterKey::generate());
        let row = Uuid::now_v7();
        let sealed = TokenCodec::new(old.clone(), []).seal(&secret(), row);
        let codec = TokenCodec::new(new, [old]);
        assert_eq!(codec.open(&sealed, row).unwrap().expose_secret(), SECRET);
        assert!(codec.is_stale(&sealed));
        assert!(!codec.is_stale(&codec.seal(&secret(), row)));
    }

    #[test]
    fn invariant_p_a_key_never_prints() {
        let key = MasterKey::generate();
        let text = key.to_text();
        let codec = TokenCodec::new(key, []);
        assert!(!format!("{codec:?}").contains(text.expose_secret()));
        assert!(!format!("{codec:#?}").contains(text.expose_secret()));
    }

    #[test]
    fn reads_base64_url_safe_base64_and_hexadecimal() {
        let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1efb";
        let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHvs=";
        let url_safe = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHvs\n";
        let ids: Vec<String> = [hex, base64, url_safe]
            .into_iter()
            .map(|text| {
                let key = MasterKey::parse(&SecretString::from(text)).unwrap();
                key.id().to_owned()
            })
            .collect();
        assert_eq!(ids[0], ids[1]);
        assert_eq!(ids[1], ids[2]);
        for wrong in ["", "short", "AAAA", &"0".repeat(63), &"x".repeat(64)] {
            assert!(MasterKey::parse(&SecretString::from(wrong)).is_err());
        }
    }
}
