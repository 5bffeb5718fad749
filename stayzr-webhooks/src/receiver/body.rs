use std::{pin::pin, time::Duration};

use bytes::{Buf, Bytes};
use http::{HeaderMap, header::CONTENT_LENGTH};
use http_body::Body;
use http_body_util::BodyExt;
use stayzr_core::port::inbox::EndpointKey;

use super::{
    answer::{Answer, Refusal},
    gate::Place,
};

/// How much of a request is taken, and for how long it is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest body of WhatsApp in bytes. Meta documents 3 MB; 4 MiB is the default.
    pub whatsapp_bytes: usize,
    /// The largest email received through Postmark in bytes, its attachments included; 35 MiB is the
    /// default.
    pub inbound_email_bytes: usize,
    /// The largest body elsewhere in bytes; 1 MiB is the default.
    pub other_bytes: usize,
    /// How long a body may take to arrive; 10 s is the default.
    pub body_timeout: Duration,
    /// Requests that are worked on at the same time; 512 is the default. Further ones are answered
    /// with 503 and `Retry-After` before their body is read.
    pub requests_in_work: usize,
    /// Bytes of bodies that are worked on at the same time, at least as many as the largest body
    /// has; 64 MiB is the default. What would go beyond is answered with 503 and `Retry-After`. A
    /// body takes up to three times its size until it is stored.
    pub bytes_in_work: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            whatsapp_bytes: 4 << 20,
            inbound_email_bytes: 35 << 20,
            other_bytes: 1 << 20,
            body_timeout: Duration::from_secs(10),
            requests_in_work: 512,
            bytes_in_work: 64 << 20,
        }
    }
}

impl Limits {
    fn bytes(&self, key: &EndpointKey) -> usize {
        match key {
            EndpointKey::Whatsapp => self.whatsapp_bytes,
            EndpointKey::PostmarkInbound => self.inbound_email_bytes,
            EndpointKey::Pms { .. }
            | EndpointKey::Resend
            | EndpointKey::Postmark
            | EndpointKey::Stripe { .. }
            | EndpointKey::Razorpay { .. } => self.other_bytes,
        }
    }

    /// Reads a body whole. Stops at the first byte too many, before the first if the declared
    /// length says so.
    pub(super) async fn read<B>(
        &self,
        key: &EndpointKey,
        headers: &HeaderMap,
        body: B,
        place: &mut Place,
    ) -> Result<Bytes, Answer>
    where
        B: Body,
    {
        let limit = self.bytes(key);
        let declared = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok())
            .and_then(|length| length.parse::<u64>().ok());
        let least = body.size_hint().lower().max(declared.unwrap_or(0));
        if least > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(Answer::refused(Refusal::BodyTooLarge, 0));
        }
        // As much as will come for sure is reserved before the first byte of it is read.
        place.grow_to(usize::try_from(least).unwrap_or(limit))?;
        tokio::time::timeout(self.body_timeout, collect(body, limit, place))
            .await
            .unwrap_or_else(|_| Err(Answer::refused(Refusal::BodyTimeout, 0)))
    }
}

async fn collect<B>(body: B, limit: usize, place: &mut Place) -> Result<Bytes, Answer>
where
    B: Body,
{
    let mut body = pin!(body);
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Answer::refused(Refusal::BodyIncomplete, whole.len()))?;
        let Ok(mut chunk) = frame.into_data() else {
            continue;
        };
        if chunk.remaining() > limit - whole.len() {
            return Err(Answer::refused(Refusal::BodyTooLarge, whole.len()));
        }
        place.grow_to(whole.len() + chunk.remaining())?;
        while chunk.has_remaining() {
            let piece = chunk.chunk();
            whole.extend_from_slice(piece);
            let taken = piece.len();
            chunk.advance(taken);
        }
    }
    Ok(whole.into())
}
