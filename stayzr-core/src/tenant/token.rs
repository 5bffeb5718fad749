use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::RngCore;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

/// SHA-256 of a token in hexadecimal: what is stored in its place. A token holds 256 random bits,
/// so that a plain hash is enough.
pub fn hash_token(token: &str) -> String {
    let digest = Sha256::digest(token);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new token: the prefix, `_`, and 256 random bits in base64url (43 characters).
pub fn generate_token(prefix: &str) -> SecretString {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    SecretString::from(format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn hashes_as_sha256_in_hexadecimal() {
        assert_eq!(
            hash_token("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn tokens_differ_and_name_what_they_are() {
        let (one, two) = (generate_token("stz"), generate_token("stz"));
        assert_ne!(one.expose_secret(), two.expose_secret());
        assert!(one.expose_secret().starts_with("stz_"));
        assert_eq!(one.expose_secret().len(), "stz_".len() + 43);
    }
}
