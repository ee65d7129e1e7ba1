//! Photographs a page, and audits it with axe-core, in each width and colour scheme.

use std::path::Path;
use std::{fs, sync::LazyLock};

use rocket::serde::json::{Value, json};
use thirtyfour::prelude::*;

use crate::chromium::{Browser, WIDE};
use testing::provided;

const NARROW: (u32, u32) = (360, 800);

/// Defines `window.axe` in a page.
static AXE: LazyLock<String> = LazyLock::new(|| {
    let folder = provided("axe", "TEST_AXE");
    fs::read_to_string(Path::new(&folder).join("axe.min.js")).unwrap()
});

/// All rules for WCAG 2.x, levels A and AA, and the best practices.
const AUDIT: &str = "const [done] = arguments;
    const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
    const rules = { 'target-size': { enabled: true } };
    const text = ({ id, help, nodes }) =>
        nodes.map(({ html, any }) => `${id}: ${help}: ${html} ${any.map((one) => one.message)}`);
    axe.run({ runOnly: { type: 'tag', values }, rules }).then(
        ({ passes, violations, incomplete }) =>
            done({ passes: passes.length, found: [...violations, ...incomplete].flatMap(text) }),
        (error) => done({ passes: 0, found: [String(error)] }));";

impl Browser {
    /// Photographs the page wide and narrow, light and dark. Fails if something overflows
    /// sideways.
    pub(crate) async fn photograph(&self, name: &str) -> WebDriverResult<()> {
        for (width, size) in [("wide", WIDE), ("narrow", NARROW)] {
            self.set_size(size).await?;
            self.fits(&format!("{name}, {width}")).await?;
            for scheme in ["light", "dark"] {
                let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
                self.devtools(
                    "Emulation.setEmulatedMedia",
                    json!({ "features": [feature] }),
                )
                .await?;
                self.settle().await?;
                let file = format!("{name}-{width}-{scheme}.png");
                self.driver.screenshot(&self.artefacts.join(file)).await?;
                self.audit(&format!("{name}, {width}, {scheme}")).await?;
            }
        }
        self.devtools("Emulation.clearDeviceMetricsOverride", json!({}))
            .await
    }

    pub(crate) async fn set_size(&self, (width, height): (u32, u32)) -> WebDriverResult<()> {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await
    }

    /// Fails if an element is out of view without scrolling.
    pub(crate) async fn shows_in_view(&self, css: &str) -> WebDriverResult<()> {
        self.settle().await?;
        let script =
            "const { top, bottom } = document.querySelector(arguments[0]).getBoundingClientRect();
            return top >= 0 && bottom <= innerHeight";
        let seen = self.driver.execute(script, vec![json!(css)]).await?;
        assert!(seen.convert::<bool>()?, "{css} is out of view");
        Ok(())
    }

    /// Waits until a change of size or colours is drawn: two frames and the transitions.
    async fn settle(&self) -> WebDriverResult<()> {
        let script = "const [done] = arguments;
            const transitions = () => document.getAnimations().map((one) => one.finished);
            const drawn = () => Promise.allSettled(transitions()).then(() => done());
            requestAnimationFrame(() => requestAnimationFrame(drawn));";
        self.driver.execute_async(script, vec![]).await.map(drop)
    }

    /// Fails if axe-core finds a violation or cannot decide.
    async fn audit(&self, what: &str) -> WebDriverResult<()> {
        let known = self
            .driver
            .execute("return 'axe' in window", vec![])
            .await?;
        if !known.convert::<bool>()? {
            self.driver.execute(AXE.as_str(), vec![]).await?;
        }
        let audit: Value = self.driver.execute_async(AUDIT, vec![]).await?.convert()?;
        assert!(
            audit["found"] == json!([]) && audit["passes"].as_u64() > Some(10),
            "{what}: {audit:#}"
        );
        Ok(())
    }

    async fn fits(&self, what: &str) -> WebDriverResult<()> {
        self.settle().await?;
        let script =
            "const page = document.documentElement; return page.scrollWidth - page.clientWidth";
        let excess: i64 = self.driver.execute(script, vec![]).await?.convert()?;
        assert!(excess <= 0, "{what}: {excess} pixels stick out");
        Ok(())
    }
}
