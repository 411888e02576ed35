//! A session with a page in front.

use anchorbrowser::Session;
use serde_json::Value;

use super::site::Site;
use super::{Bench, PATIENCE};

/// An emulator, and a session of it that shows a page of a site.
pub(super) struct Stage {
    pub(super) bench: Bench,
    pub(super) site: Site,
    pub(super) session: Session,
}

impl Stage {
    /// Shows this page.
    pub(super) async fn page(html: &str) -> anyhow::Result<Self> {
        Self::site(Site::page(html).await).await
    }

    /// Shows the page at `/`.
    pub(super) async fn site(site: Site) -> anyhow::Result<Self> {
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().viewport(800, 600);
        let session = session.send().await?;
        session.goto(site.url("/")).await?;
        Ok(Self {
            bench,
            site,
            session,
        })
    }

    /// What code comes to in the page.
    pub(super) async fn run(&self, code: &str) -> anyhow::Result<Value> {
        let tools = self.bench.client.tools();
        Ok(tools
            .execute_code(self.session.id(), code)
            .send()
            .await?
            .output)
    }

    /// Waits until code comes to `true` in the page.
    pub(super) async fn until(&self, code: &str) -> anyhow::Result<()> {
        let waiting = async {
            while self.run(code).await? != true {}
            Ok(())
        };
        tokio::time::timeout(PATIENCE, waiting).await?
    }

    /// What the page has logged since it was asked last.
    pub(super) async fn log(&self) -> anyhow::Result<Value> {
        self.run("return log.splice(0)").await
    }

    /// All answers were as the document has them.
    pub(super) fn keeps_to_the_document(&self) {
        for exchange in self.bench.emulator.exchanges() {
            let violations = &exchange.answer_violations;
            assert!(
                violations.is_empty(),
                "{:?}: {violations:?}",
                exchange.operation
            );
        }
    }
}

/// Width, height, and the colour of the pixel at a point.
pub(super) fn picture(png: &[u8], (x, y): (usize, usize)) -> (u32, u32, [u8; 3]) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let at = y * info.line_size + x * info.color_type.samples();
    (
        info.width,
        info.height,
        pixels[at..at + 3].try_into().unwrap(),
    )
}
