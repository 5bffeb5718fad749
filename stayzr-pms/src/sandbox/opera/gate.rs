//! Who is let in.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{
    super::server::{Asked, Reply},
    api::{Refusal, Vendor},
    read::Query,
    state::Hotel,
};

impl Vendor {
    /// Gives a token for either grant.
    pub(super) fn grant(&self, hotel: &mut Hotel, asked: &Asked) -> Reply {
        let options = &self.options;
        let header = |name: &str| {
            asked
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let pair = format!(
            "{}:{}",
            options.client_id,
            options.client_secret.expose_secret()
        );
        let basic = format!("Basic {}", STANDARD.encode(pair));
        if header("authorization") != Some(basic.as_str())
            || header("x-app-key") != Some(options.app_key.expose_secret())
        {
            return self.bare(401);
        }
        let form = Query::parse(&String::from_utf8_lossy(&asked.body));
        let good = match form.one("grant_type") {
            Some("password") => {
                form.one("username") == Some(options.username.as_str())
                    && form.one("password") == Some(options.password.expose_secret())
            }
            Some("client_credentials") => {
                form.one("scope")
                    .is_some_and(|scope| scope.starts_with("urn:opc:"))
                    && header("enterpriseid") == Some(options.enterprise_id.as_str())
            }
            _ => {
                return self.dated(Reply::json(
                    400,
                    &json!({"error": "unsupported_grant_type"}),
                ));
            }
        };
        if !good {
            let body = json!({"error": "invalid_grant", "error_description": "Refused"});
            return self.dated(Reply::json(402, &body));
        }
        let token = format!("sandbox-token-{}", hotel.number());
        let life = TimeDelta::from_std(options.token_life).unwrap_or_default();
        hotel.token = Some((token.clone(), self.now() + life));
        self.keep(hotel);
        self.dated(Reply::json(
            200,
            &json!({"access_token": token, "expires_in": life.num_seconds(),
                "token_type": "Bearer", "oracle_tk_context": "user_assertion"}),
        ))
    }

    /// Lets in who has a good token and the application's key, and asks about this hotel.
    pub(super) fn let_in(
        &self,
        hotel: &Hotel,
        asked: &Asked,
        operation: &str,
        parts: &[String],
    ) -> Result<(), Reply> {
        let header = |name: &str| {
            asked
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let bearer = header("authorization").and_then(|text| text.strip_prefix("Bearer "));
        let good = hotel
            .token
            .as_ref()
            .is_some_and(|(token, until)| bearer == Some(token.as_str()) && self.now() < *until);
        if !good || header("x-app-key") != Some(self.options.app_key.expose_secret()) {
            return Err(self.bare(401));
        }
        let forbidden = || {
            let title = "Unauthorized to access the resource".to_owned();
            self.refuse(&Refusal { status: 403, title })
        };
        // Which part of the path names the hotel: the first, or with events the second.
        let in_path = match operation {
            "getBusinessEvents" => {
                if parts.first() != Some(&self.options.external_system) {
                    return Err(forbidden());
                }
                parts.get(1)
            }
            _ if asked.path.starts_with("/crm/") => None,
            _ => parts.first(),
        };
        let named = header("x-hotelid") == Some(hotel.hotel_id.as_str());
        if !named || in_path.is_some_and(|id| *id != hotel.hotel_id) {
            return Err(forbidden());
        }
        Ok(())
    }
}
