//! Webhooks of hotel messaging and hotel systems: who sent them, what they say, and an intake that
//! loses none of them; and senders, so that what can be received can be answered.
//!
//! - A [`Verifier`] decides, purely, whether a [`SignedRequest`] is authentic: Meta
//!   ([`channels::whatsapp::MetaHub`]), Mews ([`endpoints::mews::MewsUrlToken`],
//!   [`endpoints::mews::MewsSignature`]). `sign` stands beside each `verify`.
//! - [`channels::whatsapp::parse`] turns a verified body into events, open to unknown ones.
//! - [`receiver::Receiver`] verifies, masks card numbers, stores and then acknowledges.
//! - `channels::whatsapp::WhatsappSender` (feature `meta-send`) answers the guest.
//! - [`manifest`] judges recorded requests offline.
//!
//! Features: `meta`, `meta-send`, `mews`, `receiver`.
//!
//! A hotel that answers by itself what WhatsApp delivers:
//!
//! ```
//! # #[cfg(feature = "meta")] {
//! use chrono::Utc;
//! use http::{HeaderMap, Method};
//! use secrecy::SecretString;
//! use stayzr_core::model::ChannelEvent;
//! use stayzr_webhooks::{
//!     Accepted, Secrets, SignedRequest, Verifier,
//!     channels::whatsapp::{self, MetaHub},
//! };
//!
//! /// What guests ask in a request, or the status to refuse it with.
//! fn questions(
//!     headers: &HeaderMap,
//!     body: &[u8],
//!     app_secrets: &[SecretString],
//! ) -> Result<Vec<String>, u16> {
//!     let request = SignedRequest {
//!         method: &Method::POST,
//!         target: "/webhooks/whatsapp",
//!         headers,
//!         body,
//!     };
//!     let secrets = Secrets::new(app_secrets).expect("the app secret is configured");
//!     let now = Utc::now();
//!     match MetaHub.verify(&request, secrets, now) {
//!         Ok(Accepted::Delivery(_)) => {}
//!         Ok(Accepted::Challenge(_)) => return Ok(Vec::new()),
//!         Err(refused) => return Err(refused.status.as_u16()),
//!     }
//!     let events = whatsapp::parse(body, now).map_err(|_| 400_u16)?;
//!     let words = events.into_iter().filter_map(|event| match event {
//!         ChannelEvent::Message(message) => Some(message.text),
//!         _ => None,
//!     });
//!     Ok(words.collect())
//! }
//!
//! let app_secrets = [SecretString::from("the app secret")];
//! let body = br#"{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages",
//!     "value":{"metadata":{"phone_number_id":"106540352242922"},"messages":[{"from":"16505551234",
//!     "id":"wamid.1","timestamp":"1781000000","type":"text","text":{"body":"Late check-out?"}}]}}]}]}"#;
//! let mut headers = HeaderMap::new();
//! assert_eq!(questions(&headers, body, &app_secrets), Err(401), "nobody signed it");
//!
//! let signature = MetaHub::sign(&app_secrets[0], body);
//! headers.insert(MetaHub::HEADER, signature.parse().expect("hexadecimal digits"));
//! assert_eq!(questions(&headers, body, &app_secrets), Ok(vec!["Late check-out?".to_owned()]));
//! # }
//! ```

pub mod channels;
pub mod endpoints;
#[cfg(feature = "meta")]
mod json;
#[cfg_attr(
    not(all(feature = "meta", feature = "mews")),
    allow(dead_code, reason = "each scheme uses a part of it")
)]
mod mac;
pub mod manifest;
#[cfg(feature = "receiver")]
pub mod receiver;
#[cfg_attr(
    not(all(feature = "meta", feature = "mews")),
    allow(dead_code, reason = "each scheme uses a part of it")
)]
mod request;
#[cfg_attr(
    not(any(feature = "meta", feature = "mews")),
    allow(dead_code, reason = "only schemes look into secrets")
)]
mod secrets;
#[cfg(feature = "meta-send")]
mod tls;
#[cfg_attr(
    not(any(feature = "meta", feature = "mews")),
    allow(dead_code, reason = "only schemes reject")
)]
mod verifier;

pub use request::SignedRequest;
pub use secrets::{SecretError, Secrets};
#[cfg(feature = "meta-send")]
pub use tls::default_client;
pub use verifier::{Accepted, Reason, Rejection, Verified, Verifier};
