use stayzr_core::port::inbox::EndpointKey;

/// The endpoint that a path leads to: `/webhooks/whatsapp`,
/// `/webhooks/pms/{provider}/{integrationId}` or `/webhooks/pms/{provider}/{integrationId}/{token}`.
///
/// A host with paths of its own puts an [`EndpointKey`] into the request's extensions instead.
///
/// ```
/// use stayzr_webhooks::receiver::endpoint_key;
///
/// assert!(endpoint_key("/webhooks/whatsapp").is_some());
/// assert!(endpoint_key("/webhooks/pms/mews/0190b7c2-0000-7000-8000-000000000000/token").is_some());
/// assert!(endpoint_key("/webhooks/pms/mews/not-an-id").is_none());
/// ```
pub fn endpoint_key(path: &str) -> Option<EndpointKey> {
    let mut segments = path.strip_prefix("/webhooks/")?.split('/');
    let key = match segments.next()? {
        "whatsapp" => EndpointKey::Whatsapp,
        "pms" => {
            let provider = segments.next().filter(|name| !name.is_empty())?.to_owned();
            let integration_id = segments.next()?.parse().ok()?;
            // The token, which the verifier reads.
            segments.next();
            EndpointKey::Pms {
                provider,
                integration_id,
            }
        }
        _ => return None,
    };
    segments.next().is_none().then_some(key)
}
