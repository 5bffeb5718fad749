use std::borrow::Cow;

use serde_json::Value;

/// What stands in a stored body where a secret stood.
const REMOVED: &str = "[removed]";

/// The body without live tokens.
///
/// An integration webhook of Mews carries the access token that the hotel made, and such a token is
/// stored nowhere but among the sealed credentials of an integration. Other bodies are given back
/// byte by byte.
///
/// ```
/// use stayzr_webhooks::endpoints::mews::without_tokens;
///
/// let body = br#"{"Action":"IntegrationCreated","Data":{"AccessToken":"live"}}"#;
/// let kept = br#"{"Action":"IntegrationCreated","Data":{"AccessToken":"[removed]"}}"#;
/// assert_eq!(&*without_tokens(body), kept);
/// ```
pub fn without_tokens(body: &[u8]) -> Cow<'_, [u8]> {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return Cow::Borrowed(body);
    };
    if remove(&mut value) {
        Cow::Owned(value.to_string().into_bytes())
    } else {
        Cow::Borrowed(body)
    }
}

/// Removes every token, and says whether there was one.
fn remove(value: &mut Value) -> bool {
    let mut removed = false;
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let secret = ["AccessToken", "ApiKey", "ClientToken"];
                if secret.iter().any(|secret| key.eq_ignore_ascii_case(secret)) {
                    removed |= !value.is_null();
                    *value = REMOVED.into();
                } else {
                    removed |= remove(value);
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                removed |= remove(value);
            }
        }
        _ => {}
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(body: &str) -> String {
        String::from_utf8(without_tokens(body.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn invariant_p_a_token_is_removed_however_it_is_written_and_the_rest_stays() {
        for body in [
            r#"{"Action":"IntegrationApiKeyCreated","Data":{"ApiKey":"live-token"}}"#,
            r#"{"Data":{"ApiKey":{"Value":"live-token"}}}"#,
            r#"{"Data":[{"accessToken":"live-token"}]}"#,
            r#"{"Data":{"Access\u0054oken":"live\u002dtoken"}}"#,
        ] {
            let kept = kept(body);
            assert!(!kept.contains("live"), "{kept}");
            assert!(kept.contains("[removed]"), "{kept}");
        }
        let general = r#"{ "Events":[{"Value":{"Id":"r"}}],"EnterpriseId":"e" }"#;
        assert_eq!(kept(general), general);
        assert_eq!(kept("no JSON"), "no JSON");
        assert_eq!(kept(r#"{"AccessToken":null}"#), r#"{"AccessToken":null}"#);
    }
}
