//! What a wrong set-up is told: the kind of the error, a sentence that says what to do, no secret.

use stayzr_core::{Error, ErrorKind};

use crate::vendor::{Door, Key, Limit, Vendor};

crate::for_every_vendor! { refusals:
    a_wrong_key_is_to_be_corrected
    a_revoked_token_is_to_be_replaced
    a_hotel_that_is_not_ours_is_named_as_that
    a_wrong_base_url_is_to_be_checked
    a_base_url_where_nobody_answers_is_to_be_checked
    a_web_page_is_no_api
}

impl dyn Vendor {
    fn door<'a>(&'a self, base_url: &'a str) -> Door<'a> {
        Door {
            base_url,
            key: Key::Good,
            elsewhere: false,
            http: Self::stack(None),
        }
    }

    /// Knocks, and is refused: with this kind, by words that say what to do, without a secret.
    async fn refused(&self, door: &Door<'_>, kinds: &[ErrorKind], words: &[&str]) {
        let provider = self.provider(door).expect("a door");
        let error = provider.check().await.expect_err("nobody is let in");
        let text = told(&error);
        assert!(kinds.contains(&error.kind()), "{}: {text}", self.name());
        let helps = words.iter().any(|word| text.to_lowercase().contains(word));
        assert!(helps, "{} does not say what to do: {text}", self.name());
        for secret in self.secrets() {
            let said = format!("{text} {error:?} {provider:?}");
            assert!(!said.contains(&secret), "{} says {secret}", self.name());
        }
    }
}

/// All that a log would show.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

async fn a_wrong_key_is_to_be_corrected(start: impl AsyncFn(Option<Limit>) -> Box<dyn Vendor>) {
    let vendor = start(None).await;
    let door = Door {
        key: Key::Wrong,
        ..vendor.door(vendor.base_url())
    };
    let words = ["check", "connect anew"];
    vendor
        .refused(&door, &[ErrorKind::Unauthorized], &words)
        .await;
}

async fn a_revoked_token_is_to_be_replaced(start: impl AsyncFn(Option<Limit>) -> Box<dyn Vendor>) {
    let vendor = start(None).await;
    // Whatever token is given out, no call is let in with it.
    vendor.fault("expired_token", "", 1000);
    let door = vendor.door(vendor.base_url());
    let words = ["check", "connect anew"];
    vendor
        .refused(&door, &[ErrorKind::Unauthorized], &words)
        .await;
}

async fn a_hotel_that_is_not_ours_is_named_as_that(
    start: impl AsyncFn(Option<Limit>) -> Box<dyn Vendor>,
) {
    let vendor = start(None).await;
    let door = Door {
        elsewhere: true,
        ..vendor.door(vendor.base_url())
    };
    if vendor.provider(&door).is_none() {
        // Its credentials belong to one hotel, and no call names another.
        return;
    }
    let words = ["hotel", "property"];
    vendor.refused(&door, &[ErrorKind::Forbidden], &words).await;
}

async fn a_wrong_base_url_is_to_be_checked(start: impl AsyncFn(Option<Limit>) -> Box<dyn Vendor>) {
    let vendor = start(None).await;
    let nowhere = format!("{}/nowhere", vendor.base_url());
    let kinds = [ErrorKind::Invalid, ErrorKind::NotFound];
    vendor
        .refused(&vendor.door(&nowhere), &kinds, &["base_url"])
        .await;
}

async fn a_base_url_where_nobody_answers_is_to_be_checked(
    start: impl AsyncFn(Option<Limit>) -> Box<dyn Vendor>,
) {
    let vendor = start(None).await;
    // A port that was free a moment ago.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = gone.local_addr().expect("an address");
    drop(gone);
    let nobody = format!("http://{address}");
    let door = vendor.door(&nobody);
    vendor
        .refused(&door, &[ErrorKind::Unavailable], &["base_url"])
        .await;
}

async fn a_web_page_is_no_api(start: impl AsyncFn(Option<Limit>) -> Box<dyn Vendor>) {
    let vendor = start(None).await;
    vendor.fault("html", "", 1000);
    let door = vendor.door(vendor.base_url());
    vendor
        .refused(&door, &[ErrorKind::Invalid], &["base_url"])
        .await;
}
