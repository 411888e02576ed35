//! Errors of every operation, as the service would give them.

use anchorbrowser_api::ErrorKind;
use anchorbrowser_emulator::Fault;

use super::Walk;
use crate::generated::CALLS;

const MESSAGE: &str = "a scripted fault of the emulator";

/// The faults have no effect and come before all else, so any values will do.
#[tokio::test]
async fn every_operation_tells_its_error() {
    let walk = Walk::start(false).await;
    let mut silent = 0;
    for call in CALLS {
        let id = call.id;
        let fault = Fault::status(503).header("Retry-After", "7").on(id);
        walk.emulator.fault(fault).unwrap();
        let error = call.sampled(walk.client.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Status, "{error}");
        assert_eq!(error.operation(), Some(id));
        assert_eq!(error.status().unwrap(), 503, "{error}");
        assert_eq!(error.headers().unwrap()["retry-after"], "7", "{error}");

        // In the shape of this status, of a like one, or of any error that the document has for the operation.
        let operation = walk.emulator.document().operation(id).unwrap();
        let errors = operation.answers().iter().map(|reply| reply.status());
        let errors: Vec<u16> = errors.filter(|status| *status >= 400).collect();
        let like = [503, 500].into_iter().find(|it| errors.contains(it));
        if let Some(like) = like.or(errors.first().copied()) {
            let body = error.body().unwrap();
            let faults = operation.check_answer(like, Some("application/json"), body);
            assert!(faults.is_empty(), "{id}: {faults:?}");
        }
        match error.error_body() {
            Some(body) => assert_eq!(body.message(), Some(MESSAGE), "{error}"),
            None => silent += 1,
        }
    }
    assert_eq!(
        silent, 13,
        "for mouse, keyboard and clipboard the document has no body"
    );
    let exchanges = walk.emulator.exchanges();
    assert_eq!(exchanges.len(), CALLS.len());
    assert!(exchanges.iter().all(|exchange| exchange.faulted));
}
