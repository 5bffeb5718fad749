use stayzr_core::port::inbox::EndpointKey;

/// The endpoint that a path leads to:
///
/// - `/webhooks/whatsapp`
/// - `/webhooks/pms/{provider}/{integrationId}` and `/webhooks/pms/{provider}/{integrationId}/{token}`
/// - `/webhooks/email/resend`, `/webhooks/email/postmark`, `/webhooks/email/postmark-inbound`
/// - `/webhooks/payments/stripe/{accountId}`, `/webhooks/payments/razorpay/{accountId}`
///
/// A host with paths of its own puts an [`EndpointKey`] into the request's extensions instead.
///
/// ```
/// use stayzr_webhooks::receiver::endpoint_key;
///
/// assert!(endpoint_key("/webhooks/whatsapp").is_some());
/// assert!(endpoint_key("/webhooks/pms/mews/0190b7c2-0000-7000-8000-000000000000/token").is_some());
/// assert!(endpoint_key("/webhooks/pms/mews/not-an-id").is_none());
/// assert!(endpoint_key("/webhooks/payments/stripe/aurora").is_some());
/// ```
pub fn endpoint_key(path: &str) -> Option<EndpointKey> {
    let mut segments = path.strip_prefix("/webhooks/")?.split('/');
    let key = match segments.next()? {
        "whatsapp" => EndpointKey::Whatsapp,
        "pms" => {
            let provider = name(segments.next())?;
            let integration_id = segments.next()?.parse().ok()?;
            // The token, which the verifier reads.
            segments.next();
            EndpointKey::Pms {
                provider,
                integration_id,
            }
        }
        "email" => match segments.next()? {
            "resend" => EndpointKey::Resend,
            "postmark" => EndpointKey::Postmark,
            "postmark-inbound" => EndpointKey::PostmarkInbound,
            _ => return None,
        },
        "payments" => match (segments.next()?, name(segments.next())?) {
            ("stripe", account_id) => EndpointKey::Stripe { account_id },
            ("razorpay", account_id) => EndpointKey::Razorpay { account_id },
            _ => return None,
        },
        _ => return None,
    };
    segments.next().is_none().then_some(key)
}

fn name(segment: Option<&str>) -> Option<String> {
    segment.filter(|name| !name.is_empty()).map(str::to_owned)
}
