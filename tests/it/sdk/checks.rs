//! Assertions that the tests of several resources make.

use std::fmt::Debug;

use anchorbrowser::{Call, Client, ErrorKind};
use anchorbrowser_emulator::Emulator;

/// The call must be refused before anything is sent, by an error that names `field`; by a client
/// without checks it must be sent.
pub(crate) async fn refused<T: Send + 'static>(
    operation: &str,
    field: &str,
    call: impl Fn(&Client) -> Call<T>,
) -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let error = call(&super::client(&emulator)).await.err().expect(field);
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert_eq!(error.operation(), Some(operation));
    assert!(error.to_string().contains(&format!("`{field}`")), "{error}");
    assert_eq!(emulator.exchanges().len(), 0);

    // What the server makes of it is its own business.
    let _ = call(&super::unchecked(&emulator)).await;
    assert_eq!(emulator.count(operation)?, 1);
    Ok(())
}

/// `Debug` must show nothing that begins like the secrets of these tests.
#[track_caller]
pub(crate) fn assert_clean(value: &impl Debug) {
    let text = format!("{value:?} {value:#?}");
    assert!(!text.contains("canary"), "{text}");
}
