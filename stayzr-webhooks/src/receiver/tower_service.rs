use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use stayzr_core::port::inbox::EndpointKey;

use super::{intake::Receiver, route::endpoint_key};

impl<B> tower::Service<Request<B>> for Receiver
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let receiver = self.clone();
        Box::pin(async move {
            let key = request
                .extensions_mut()
                .remove::<EndpointKey>()
                .or_else(|| endpoint_key(request.uri().path()));
            Ok(match key {
                Some(key) => receiver.handle(key, request).await,
                None => receiver.nowhere(),
            })
        })
    }
}
