use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{form::Form, state::Hotel};

/// The application that is let in, and for how long a token.
pub(super) struct Application {
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) token_life: Duration,
}

/// Answers `access_token`: each refresh ends the tokens before it.
pub(super) fn grant(
    hotel: &mut Hotel,
    application: &Application,
    form: &Form,
    now: DateTime<Utc>,
) -> (u16, Value) {
    let refuse = |status: u16, error: &str, description: &str| {
        (
            status,
            json!({"error": error, "error_description": description}),
        )
    };
    let says = |key: &str| form.text(key).unwrap_or_default();
    if says("client_id") != application.client_id
        || says("client_secret") != application.client_secret.expose_secret()
    {
        return refuse(401, "invalid_client", "Client authentication failed");
    }
    match says("grant_type") {
        "refresh_token" if says("refresh_token") != hotel.tokens.refresh => {
            return refuse(400, "invalid_grant", "The refresh token is invalid.");
        }
        "refresh_token" => {}
        "authorization_code" if says("code") != "sandbox-code" => {
            let expired = "The authorization code is invalid or has expired.";
            return refuse(401, "server_error", expired);
        }
        "authorization_code" => {}
        _ => {
            return refuse(
                400,
                "unsupported_grant_type",
                "The grant type is not supported.",
            );
        }
    }
    hotel.tally.refreshes += 1;
    hotel.tokens.given += 1;
    let given = hotel.tokens.given;
    let life = application.token_life;
    let access = format!("sandbox-access-{given}");
    hotel.tokens.refresh = format!("sandbox-refresh-{given}");
    let ends = now + TimeDelta::from_std(life).unwrap_or_default();
    hotel.tokens.access = Some((access.clone(), ends));
    let answer = json!({"access_token": access, "token_type": "Bearer",
        "expires_in": life.as_secs(), "refresh_token": hotel.tokens.refresh,
        "resources": [{"type": "property", "id": hotel.property_id}]});
    (200, answer)
}

/// Whether a bearer token is good now.
pub(super) fn is_good(hotel: &Hotel, token: &str, now: DateTime<Utc>) -> bool {
    let access = hotel.tokens.access.as_ref();
    access.is_some_and(|(known, ends)| known == token && now < *ends)
}
