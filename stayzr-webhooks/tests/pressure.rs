//! Many requests at once: they share commits, there is a place for so many of them and no more, and one
//! that breaks does not break the others.
#![cfg(feature = "receiver")]
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, future::join_all, poll};
use http::{HeaderMap, Request, StatusCode, header::RETRY_AFTER};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use secrecy::SecretString;
use stayzr_core::{
    Error, Result,
    clock::SystemClock,
    port::inbox::{Acceptance, Delivery, Endpoint, EndpointAuth, EndpointKey, Endpoints, Inbox},
    queue::Lease,
};
use stayzr_webhooks::{
    channels::whatsapp::MetaHub,
    receiver::{Limits, Receiver},
};
use tokio::sync::Semaphore;

const SECRET: &str = "f3c1a7e0b4d94f0d";

/// A store that ends a commit when it is told to, and writes down how many deliveries each had.
struct Store {
    commits: Semaphore,
    groups: Mutex<Vec<usize>>,
    /// How the next commits end.
    endings: Mutex<Vec<Ending>>,
}

enum Ending {
    Fails,
    Panics,
}

#[async_trait]
impl Inbox for Store {
    async fn accept_delivery(&self, _: Delivery) -> Result<Acceptance> {
        unreachable!("the receiver stores in groups")
    }

    async fn accept_deliveries(&self, deliveries: Vec<Delivery>) -> Vec<Result<Acceptance>> {
        self.groups.lock().unwrap().push(deliveries.len());
        self.commits.acquire().await.unwrap().forget();
        let ending = self.endings.lock().unwrap().pop();
        let each = deliveries.into_iter();
        match ending {
            None => each.map(|_| Ok(Acceptance::Stored)).collect(),
            Some(Ending::Fails) => each
                .map(|_| Err(Error::unavailable("inbox.accept", "the disk is full")))
                .collect(),
            Some(Ending::Panics) => panic!("a defect of the store"),
        }
    }

    async fn delivery(&self, lease: &Lease) -> Result<Delivery> {
        Err(Error::not_found("inbox.delivery", "not asked for here").with("job", lease.job_id))
    }
}

#[async_trait]
impl Endpoints for Store {
    async fn endpoint(&self, key: &EndpointKey) -> Result<Option<Endpoint>> {
        Ok(Some(Endpoint {
            key: key.clone(),
            scope: None,
            auth: EndpointAuth::MetaHub {
                app_secrets: vec![SECRET.into()],
                verify_token: "unused".into(),
            },
        }))
    }
}

struct House {
    store: Arc<Store>,
    receiver: Receiver,
}

type Asked = Pin<Box<dyn Future<Output = (StatusCode, HeaderMap)> + Send>>;

impl House {
    fn new(limits: Limits) -> Self {
        let store = Arc::new(Store {
            commits: Semaphore::new(0),
            groups: Mutex::default(),
            endings: Mutex::default(),
        });
        let receiver = Receiver::new(store.clone(), store.clone(), Arc::new(SystemClock));
        Self {
            store,
            receiver: receiver.with_limits(limits),
        }
    }

    /// A request that has come as far as it can.
    async fn ask(&self, body: &[u8]) -> Asked {
        let body = body.to_vec();
        let signature = MetaHub::sign(&SecretString::from(SECRET), &body);
        let request = Request::post("/webhooks/whatsapp")
            .header(MetaHub::HEADER, signature)
            .body(Full::<Bytes>::from(body))
            .unwrap();
        self.begin(request).await
    }

    async fn begin<B>(&self, request: Request<B>) -> Asked
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Send,
    {
        let receiver = self.receiver.clone();
        let mut asked: Asked = Box::pin(async move {
            let response = receiver.handle(EndpointKey::Whatsapp, request).await;
            (response.status(), response.headers().clone())
        });
        if let std::task::Poll::Ready(answer) = poll!(&mut asked) {
            return Box::pin(std::future::ready(answer));
        }
        // The commit begins in a task of its own.
        tokio::task::yield_now().await;
        asked
    }

    fn groups(&self) -> Vec<usize> {
        self.store.groups.lock().unwrap().clone()
    }
}

async fn status(asked: Asked) -> u16 {
    asked.await.0.as_u16()
}

#[tokio::test]
async fn requests_that_come_during_a_commit_share_the_next_one() {
    let house = House::new(Limits::default());
    let mut asked = vec![house.ask(b"{}").await];
    for _ in 0..5 {
        asked.push(house.ask(b"{}").await);
    }
    assert_eq!(
        house.groups(),
        [1],
        "a lone request does not wait for company"
    );
    house.store.commits.add_permits(2);
    let answers = join_all(asked.into_iter().map(status)).await;
    assert_eq!(answers, [200; 6]);
    assert_eq!(house.groups(), [1, 5]);
}

#[tokio::test]
async fn invariant_a_a_group_whose_commit_fails_is_not_acknowledged() {
    let house = House::new(Limits::default());
    let first = house.ask(b"{}").await;
    let others = [house.ask(b"{}").await, house.ask(b"{}").await];
    house.store.endings.lock().unwrap().extend([Ending::Fails]);
    house.store.commits.add_permits(3);
    assert_eq!(status(first).await, 503);
    assert_eq!(join_all(others.map(status)).await, [200; 2]);
    assert_eq!(status(house.ask(b"{}").await).await, 200);
}

#[tokio::test]
async fn a_store_that_panics_leaves_nobody_waiting() {
    let house = House::new(Limits::default());
    let asked = [house.ask(b"{}").await, house.ask(b"{}").await];
    house.store.endings.lock().unwrap().extend([Ending::Panics]);
    house.store.commits.add_permits(2);
    assert_eq!(join_all(asked.map(status)).await, [503; 2]);
    assert_eq!(
        status(house.ask(b"{}").await).await,
        200,
        "the next one begins anew"
    );
}

#[tokio::test]
async fn a_sender_who_hangs_up_takes_nothing_from_the_others() {
    let house = House::new(Limits::default());
    let gone = house.ask(b"{}").await;
    let stays = house.ask(b"{}").await;
    drop(gone);
    house.store.commits.add_permits(2);
    assert_eq!(status(stays).await, 200);
    assert_eq!(house.groups(), [1, 1]);
}

#[tokio::test]
async fn what_there_is_no_place_for_is_told_so_before_it_is_read() {
    let house = House::new(Limits {
        requests_in_work: 2,
        ..Limits::default()
    });
    let asked = [house.ask(b"{}").await, house.ask(b"{}").await];
    let unread = StreamBody::new(
        futures::stream::once(async { unreachable!("the body is not read") })
            .map(|frame: Frame<Bytes>| Ok::<_, Infallible>(frame)),
    );
    let request = Request::post("/webhooks/whatsapp").body(unread).unwrap();
    let (refused, headers) = house.begin(request).await.await;
    assert_eq!(refused, StatusCode::SERVICE_UNAVAILABLE);
    assert!(headers.contains_key(RETRY_AFTER));
    house.store.commits.add_permits(3);
    assert_eq!(join_all(asked.map(status)).await, [200; 2]);
    assert_eq!(
        status(house.ask(b"{}").await).await,
        200,
        "there is place again"
    );
}

#[tokio::test]
async fn bodies_have_so_many_bytes_together_and_no_more() {
    let house = House::new(Limits {
        bytes_in_work: 100,
        ..Limits::default()
    });
    let waiting = house.ask(&[b' '; 60]).await;
    let (refused, headers) = house.ask(&[b' '; 41]).await.await;
    assert_eq!(refused, StatusCode::SERVICE_UNAVAILABLE);
    assert!(headers.contains_key(RETRY_AFTER));

    // In pieces of undeclared length: as soon as there is no place for the next one.
    let pieces = futures::stream::repeat_with(|| {
        Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[b' '; 15])))
    });
    let request = Request::post("/webhooks/whatsapp")
        .body(StreamBody::new(pieces))
        .unwrap();
    assert_eq!(status(house.begin(request).await).await, 503);

    let fits = house.ask(&[b' '; 40]).await;
    house.store.commits.add_permits(3);
    assert_eq!(join_all([waiting, fits].map(status)).await, [200; 2]);
    assert_eq!(
        status(house.ask(&[b' '; 100]).await).await,
        200,
        "all is free again"
    );
}
