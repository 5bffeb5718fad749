use std::{
    fmt,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, json};
use sha2::{Digest, Sha256};
use stayzr_core::{Error, ErrorKind, Result, limit::Priority};
use tokio::sync::Mutex;

use super::{OperaConfig, error::DIALECT};
use crate::http::{CallBody, Effect, VendorAuth, VendorCall, VendorHttp, redact};

/// A token is renewed this long before it ends, or a sixth of its life where that is shorter:
/// Oracle's tokens live for an hour and should be renewed after fifty minutes.
const AHEAD: Duration = Duration::from_secs(600);

/// A call that was refused may have left with the token before the last renewal if that is not
/// longer ago than a call takes.
const LONGEST_CALL: Duration = Duration::from_secs(60);

/// Credentials that were refused are not shown again for so long: integration users are locked after
/// some failures.
const REFUSED: Duration = Duration::from_secs(10);

/// The scope of environments with client credentials, where none is named.
const SCOPE: &str = "urn:opc:hgbu:ws:__myscopes__";

/// What lets an application in at OPERA Cloud. It does not print and does not serialise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperaCredentials {
    /// Names the application at the gateway.
    pub client_id: String,
    /// Proves it.
    pub client_secret: SecretString,
    /// The application's key, a UUID, which every call carries.
    pub app_key: SecretString,
    /// The integration user, in environments with the grant `password`.
    #[serde(default)]
    pub username: Option<String>,
    /// The integration user's password.
    #[serde(default)]
    pub password: Option<SecretString>,
    /// The enterprise, in environments with the grant `client_credentials`.
    #[serde(default)]
    pub enterprise_id: Option<String>,
    /// What to ask for there; Oracle's usual one where it is not named.
    #[serde(default)]
    pub scope: Option<String>,
}

impl OperaCredentials {
    /// Reads `{"client_id", "client_secret", "app_key"}` with either `"username", "password"` or
    /// `"enterprise_id", "scope"?`. The error never quotes a value.
    pub fn parse(json: &SecretString) -> Result<Self> {
        let refuse = |why: &'static str| Error::invalid("opera.credentials", why);
        let read: Self = serde_json::from_str(json.expose_secret()).map_err(|_| {
            refuse(
                "must be a JSON object of client_id, client_secret, app_key, and username and \
                 password or enterprise_id",
            )
        })?;
        match (&read.username, &read.password, &read.enterprise_id) {
            (Some(_), Some(_), None) | (None, None, Some(_)) => Ok(read),
            _ => Err(refuse(
                "name either username and password, or enterprise_id: an environment has one of \
                 the two grants",
            )),
        }
    }

    /// What [`OperaCredentials::parse`] reads, to be sealed.
    pub fn to_secret(&self) -> SecretString {
        let shown = |secret: &Option<SecretString>| {
            let secret = secret.as_ref()?;
            Some(secret.expose_secret().to_owned())
        };
        let mut json = json!({
            "client_id": self.client_id,
            "client_secret": self.client_secret.expose_secret(),
            "app_key": self.app_key.expose_secret(),
        });
        for (key, value) in [
            ("username", self.username.clone()),
            ("password", shown(&self.password)),
            ("enterprise_id", self.enterprise_id.clone()),
            ("scope", self.scope.clone()),
        ] {
            if let Some(value) = value {
                json[key] = json!(value);
            }
        }
        SecretString::from(json.to_string())
    }

    /// A fingerprint of the application's key.
    pub fn account(&self) -> String {
        fingerprint(self.app_key.expose_secret())
    }

    fn form(&self) -> Vec<(String, String)> {
        let fields = match (&self.username, &self.password) {
            (Some(username), Some(password)) => vec![
                ("grant_type", "password"),
                ("username", username.as_str()),
                ("password", password.expose_secret()),
            ],
            _ => vec![
                ("grant_type", "client_credentials"),
                ("scope", self.scope.as_deref().unwrap_or(SCOPE)),
            ],
        };
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        fields.into_iter().map(owned).collect()
    }

    fn secrets(&self) -> Vec<SecretString> {
        let mut secrets = vec![self.client_secret.clone(), self.app_key.clone()];
        secrets.extend(self.password.clone());
        secrets
    }
}

fn fingerprint(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes())[..8])
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Adds token, application key and hotel to every call. There is one token; whoever comes while it
/// is asked for waits for that one.
pub(super) struct OperaAuth {
    key: String,
    credentials: OperaCredentials,
    hotel_id: String,
    external_system: Option<String>,
    http: VendorHttp,
    url: String,
    held: Mutex<Held>,
    /// Tokens that may still be on their way, so that no error shows them.
    known: RwLock<Vec<SecretString>>,
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    /// Why none could be had, and when that was known.
    refused: Option<(Instant, ErrorKind, String)>,
}

/// What the stream of events asks for in place of headers.
pub(super) struct Pass {
    pub(super) token: SecretString,
    pub(super) app_key: SecretString,
    /// SHA-256 of the application's key, in small hexadecimal letters.
    pub(super) key_hash: String,
    /// When another token is to be had.
    pub(super) renew: Instant,
}

struct Token {
    text: SecretString,
    granted: Instant,
    /// Whether calls may be on their way with the token before this one.
    follows: bool,
    renew: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
}

impl OperaAuth {
    pub(super) fn new(
        config: &OperaConfig,
        credentials: OperaCredentials,
        http: VendorHttp,
    ) -> Self {
        Self {
            // The limit is the gateway's, whoever calls it.
            key: format!("opera:{}", fingerprint(&config.base_url)),
            hotel_id: config.hotel_id.clone(),
            external_system: config.external_system.clone(),
            url: format!("{}/oauth/v1/tokens", config.base_url),
            credentials,
            http,
            held: Mutex::default(),
            known: RwLock::default(),
        }
    }

    /// A token that is good for a call.
    async fn token(&self) -> Result<SecretString> {
        let asked = Instant::now();
        let mut held = self.held.lock().await;
        if let Some(token) = held
            .token
            .as_ref()
            .filter(|token| Instant::now() < token.renew)
        {
            return Ok(token.text.clone());
        }
        // Whoever waited while the vendor refused has its answer, too.
        if let Some((at, kind, message)) = &held.refused
            && (*at >= asked || (*kind == ErrorKind::Unauthorized && at.elapsed() < REFUSED))
        {
            return Err(Error::new(*kind, OPERATION, message.clone()));
        }
        self.renew_held(&mut held).await
    }

    /// What lets the stream in.
    pub(super) async fn pass(&self) -> Result<Pass> {
        let token = self.token().await?;
        let held = self.held.lock().await;
        let renew = held.token.as_ref().map(|token| token.renew);
        let app_key = self.credentials.app_key.clone();
        Ok(Pass {
            token,
            key_hash: hexadecimal(&Sha256::digest(app_key.expose_secret().as_bytes())),
            app_key,
            renew: renew.unwrap_or_else(Instant::now),
        })
    }

    async fn renew_held(&self, held: &mut Held) -> Result<SecretString> {
        let granted = match self.ask().await {
            Ok(granted) => granted,
            Err(error) => {
                held.refused = Some((Instant::now(), error.kind(), error.message().to_owned()));
                return Err(error);
            }
        };
        let life = granted.expires_in.as_ref().and_then(|life| match life {
            serde_json::Value::String(text) => text.trim().parse().ok(),
            other => other.as_u64(),
        });
        let life = Duration::from_secs(life.unwrap_or(3600).clamp(1, 86_400));
        let now = Instant::now();
        let text = granted.access_token;
        held.refused = None;
        held.token = Some(Token {
            text: text.clone(),
            granted: now,
            follows: held.token.is_some(),
            renew: now + life - AHEAD.min(life / 6),
        });
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.push(text.clone());
        let surplus = known.len().saturating_sub(4);
        known.drain(..surplus);
        Ok(text)
    }

    async fn ask(&self) -> Result<Granted> {
        let call = VendorCall {
            method: Method::POST,
            body: CallBody::Form(self.credentials.form()),
            ..VendorCall::post(OPERATION, self.url.clone(), Map::new())
        }
        // A token that was granted and lost harms nobody.
        .with_effect(Effect::Read)
        .with_priority(Priority::High);
        let answer = self.http.send(&call, &Basic(self), &DIALECT).await;
        let answer = answer.map_err(|error| match error.kind() {
            // Read as an answer about a record it would say that the record is gone.
            ErrorKind::NotFound => {
                let why = "nothing grants tokens at this address: base_url must be the gateway's address, \
                           without a path";
                Error::invalid(OPERATION, why).with_source(error)
            }
            _ => error,
        })?;
        Granted::deserialize(answer.body)
            .map_err(|_| Error::corrupt(OPERATION, "the answer holds no access token"))
    }
}

const OPERATION: &str = "opera.getToken";

fn insert(call: &mut VendorCall, name: &'static str, text: &str) -> Result<()> {
    let mut value = HeaderValue::try_from(text).map_err(|_| {
        let what = "a credential or code holds what no header can";
        Error::invalid("opera.authorize", what).with("header", name)
    })?;
    value.set_sensitive(true);
    call.headers.insert(HeaderName::from_static(name), value);
    Ok(())
}

impl fmt::Debug for OperaAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperaAuth")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl VendorAuth for OperaAuth {
    fn limit_key(&self) -> &str {
        &self.key
    }

    async fn authorize(&self, call: &mut VendorCall) -> Result<()> {
        let token = self.token().await?;
        let bearer = SecretString::from(format!("Bearer {}", token.expose_secret()));
        insert(call, "authorization", bearer.expose_secret())?;
        insert(call, "x-app-key", self.credentials.app_key.expose_secret())?;
        insert(call, "x-hotelid", &self.hotel_id)?;
        insert(call, "x-request-id", &uuid::Uuid::now_v7().to_string())?;
        if let Some(code) = &self.external_system {
            insert(call, "x-externalsystem", code)?;
        }
        Ok(())
    }

    async fn renew(&self) -> Result<bool> {
        let mut held = self.held.lock().await;
        if held
            .refused
            .as_ref()
            .is_some_and(|(at, ..)| at.elapsed() < REFUSED)
        {
            return Ok(false);
        }
        let just = held
            .token
            .as_ref()
            .is_some_and(|token| token.follows && token.granted.elapsed() < LONGEST_CALL);
        if !just {
            self.renew_held(&mut held).await?;
        }
        Ok(true)
    }

    fn redact(&self, text: &str) -> String {
        let mut secrets = self.credentials.secrets();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        secrets.extend(known.iter().cloned());
        redact(text, secrets.iter().map(ExposeSecret::expose_secret))
    }
}

/// How the token itself is asked for.
struct Basic<'a>(&'a OperaAuth);

impl fmt::Debug for Basic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").finish_non_exhaustive()
    }
}

#[async_trait]
impl VendorAuth for Basic<'_> {
    fn limit_key(&self) -> &str {
        &self.0.key
    }

    async fn authorize(&self, call: &mut VendorCall) -> Result<()> {
        let credentials = &self.0.credentials;
        let pair = format!(
            "{}:{}",
            credentials.client_id,
            credentials.client_secret.expose_secret()
        );
        let basic = format!("Basic {}", STANDARD.encode(pair));
        insert(call, "authorization", &basic)?;
        insert(call, "x-app-key", credentials.app_key.expose_secret())?;
        match &credentials.enterprise_id {
            Some(id) => insert(call, "enterpriseid", id),
            None => Ok(()),
        }
    }

    fn redact(&self, text: &str) -> String {
        self.0.redact(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<OperaCredentials> {
        OperaCredentials::parse(&SecretString::from(json))
    }

    #[test]
    fn an_environment_has_one_of_the_two_grants() {
        let user =
            r#"{"client_id":"c","client_secret":"s","app_key":"k","username":"u","password":"p"}"#;
        let form = parse(user).unwrap().form();
        assert_eq!(form[0].1, "password");
        let scoped =
            r#"{"client_id":"c","client_secret":"s","app_key":"k","enterprise_id":"ENT1"}"#;
        let form = parse(scoped).unwrap().form();
        assert_eq!(form[0].1, "client_credentials");
        assert_eq!(form[1], ("scope".to_owned(), SCOPE.to_owned()));
        for wrong in [
            r#"{"client_id":"c","client_secret":"s","app_key":"k"}"#,
            r#"{"client_id":"c","client_secret":"s","app_key":"k","username":"u"}"#,
            r#"{"client_id":"c","client_secret":"s","app_key":"k","username":"u","password":"p","enterprise_id":"E"}"#,
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn invariant_p_credentials_never_print_and_survive_being_sealed() {
        let json = r#"{"client_id":"c","client_secret":"s-secret","app_key":"k-secret","username":"u","password":"p-secret"}"#;
        let read = parse(json).unwrap();
        assert!(!format!("{read:?}").contains("-secret"));
        let again = OperaCredentials::parse(&read.to_secret()).unwrap();
        assert_eq!(again.form(), read.form());
        assert_eq!(again.account(), read.account());
        let error = parse(r#"{"client_id":"c","client_secret":"s-secret"}"#).unwrap_err();
        assert!(!format!("{error:?}").contains("s-secret"));
    }
}
