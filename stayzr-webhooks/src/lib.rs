//! Webhooks of hotel messaging and hotel systems: who sent them, what they say, and an intake that
//! loses none of them; and senders, so that what can be received can be answered.
//!
//! - A [`Verifier`] decides, purely, whether a [`SignedRequest`] is authentic. Each scheme has one,
//!   with its `sign` beside it: Meta ([`channels::whatsapp::MetaHub`]), Standard Webhooks as Resend and
//!   Svix send them ([`channels::resend::StandardWebhooks`]), Postmark
//!   ([`channels::postmark::PostmarkCredentials`]), Mews ([`endpoints::mews::MewsUrlToken`],
//!   [`endpoints::mews::MewsSignature`]), Cloudbeds ([`endpoints::cloudbeds::SecretPath`]), Stripe
//!   ([`endpoints::stripe::StripeSignature`]), Razorpay ([`endpoints::razorpay::RazorpaySignature`]),
//!   and agents ([`endpoints::agent::AgentSignature`]).
//! - `parse` of each channel and payment provider turns a verified body into events, open to unknown
//!   ones; those of a PMS are read by `stayzr-pms`.
//! - [`receiver::Receiver`] verifies, masks card numbers, stores and then acknowledges. Requests that
//!   wait at the same time share commits, and none is taken that memory has no place for.
//! - `channels::whatsapp::WhatsappSender` (feature `meta-send`) answers the guest.
//! - [`manifest`] judges recorded requests offline.
//!
//! Features: `receiver` (the default), which brings every scheme that a stored endpoint can ask for;
//! `agent`, `cloudbeds`, `meta`, `mews`, `postmark`, `razorpay`, `resend`, `stripe`, each alone; and
//! `meta-send`.
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

#![cfg_attr(
    not(all(feature = "agent", feature = "receiver")),
    allow(dead_code, reason = "each scheme uses a part of what they share")
)]

pub mod channels;
pub mod endpoints;
mod fields;
mod json;
mod mac;
pub mod manifest;
#[cfg(feature = "receiver")]
pub mod receiver;
mod request;
mod secrets;
#[cfg(feature = "meta-send")]
mod tls;
mod verifier;

pub use request::SignedRequest;
pub use secrets::{SecretError, Secrets};
#[cfg(feature = "meta-send")]
pub use tls::default_client;
pub use verifier::{Accepted, Reason, Rejection, Verified, Verifier};
