//! Whoever set it up wrongly is told what to do, and never what the secret is.

use secrecy::SecretString;
use serde_json::{Value, json};
use stayzr_core::ErrorKind;
use stayzr_pms::{
    PmsProvider,
    providers::opera::{OperaCredentials, OperaProvider},
    sandbox::{Fault, OperaSandbox},
};

use crate::common::{config, options, quick_http, user};

fn credentials(other: &[(&str, &str)]) -> OperaCredentials {
    let mut json = json!({"client_id": "sandbox-client", "client_secret": "sandbox-client-secret",
        "app_key": "41ecd082-8997-4c69-af34-2f72b83645ff",
        "username": "SANDBOX_USER", "password": "sandbox-password"});
    for (key, value) in other {
        json[key] = match *value {
            "" => Value::Null,
            text => json!(text),
        };
    }
    OperaCredentials::parse(&SecretString::from(json.to_string())).unwrap()
}

async fn sandbox() -> OperaSandbox {
    OperaSandbox::start(options()).await.unwrap()
}

#[tokio::test]
async fn wrong_credentials_are_told_by_which_of_them_and_are_never_shown() {
    const SECRET: &str = "0badc0de-0000-4000-8000-00000000beef";
    let sandbox = sandbox().await;
    for (wrong, word) in [
        (
            vec![("client_secret", SECRET)],
            "token or the application key",
        ),
        (vec![("app_key", SECRET)], "token or the application key"),
        (vec![("password", SECRET)], "name or password"),
        (
            vec![
                ("username", ""),
                ("password", ""),
                ("enterprise_id", "OTHER"),
            ],
            "name or password",
        ),
    ] {
        let config = config(sandbox.base_url());
        let provider = OperaProvider::new(config, credentials(&wrong), quick_http());
        let error = provider.check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{wrong:?}: {error}");
        assert!(error.to_string().contains(word), "{error}");
        assert!(!format!("{error:?}").contains(SECRET), "{error:?}");
    }
}

#[tokio::test]
async fn a_token_that_was_revoked_with_its_user_says_to_check_the_credentials() {
    let sandbox = sandbox().await;
    let provider = OperaProvider::new(config(sandbox.base_url()), user(), quick_http());
    provider.check().await.unwrap();
    for (kind, operation) in [("expired_token", "getHotel"), ("error_401", "getToken")] {
        let fault = Fault {
            kind: kind.to_owned(),
            operation: Some(operation.to_owned()),
            count: 5,
            retry_after: None,
        };
        sandbox.inject(fault).unwrap();
    }
    let error = provider.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(
        error.to_string().contains("check the credentials"),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrong_address_says_to_check_it() {
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let sandbox = sandbox().await;
    let below = format!("{}/opera", sandbox.base_url());
    for (base_url, kind) in [
        (nobody.as_str(), ErrorKind::Unavailable),
        (below.as_str(), ErrorKind::Invalid),
        ("not an address", ErrorKind::Invalid),
    ] {
        let provider = OperaProvider::new(config(base_url), user(), quick_http());
        let error = provider.check().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{base_url}: {error}");
        assert!(
            error.to_string().contains("base_url"),
            "{base_url}: {error}"
        );
    }
    let fault = Fault {
        kind: "html".to_owned(),
        operation: Some("getToken".to_owned()),
        count: 1,
        retry_after: None,
    };
    sandbox.inject(fault).unwrap();
    let provider = OperaProvider::new(config(sandbox.base_url()), user(), quick_http());
    let error = provider.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("base_url is not"), "{error}");
}

#[tokio::test]
async fn a_hotel_that_opera_does_not_show_us_is_named_as_the_reason() {
    let sandbox = sandbox().await;
    let mut config = config(sandbox.base_url());
    config.hotel_id = "OTHER".to_owned();
    let provider = OperaProvider::new(config, user(), quick_http());
    let error = provider.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(
        error.to_string().contains("roles of the integration user"),
        "{error}"
    );
}
